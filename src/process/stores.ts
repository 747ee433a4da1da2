/** The stores that the configuration names, each behind its port. What fails in them is a fault that says which part failed. */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { KeyStore } from '../model/agent.ts'
import type { Counters } from '../model/counters.ts'
import type { CredentialStore } from '../model/credential.ts'
import { faultsAs } from '../model/fault.ts'
import type { Journal } from '../model/journal.ts'
import type { RevisionStore } from '../model/revision.ts'
import { createMemoryCounters } from '../store/memory/index.ts'
import {
  createCredentialStore,
  createJournal,
  createKeyStore,
  createRevisionStore,
  migrate,
  openPglite,
  openPostgres,
} from '../store/postgres/index.ts'
import { startEmbedded } from './embedded.ts'
import type { Surroundings } from './options.ts'

export interface Stores {
  /** For people: `pglite + memory`, `postgresql + redis`. */
  readonly engine: string
  readonly journal: Journal
  readonly counters: Counters
  readonly keys: KeyStore
  readonly credentials: CredentialStore
  readonly policies: RevisionStore
}

export async function openStores(config: Config, { log, around, embedded }: Surroundings): Promise<Stores> {
  const opened = config.database_url
    ? openPostgres({ url: config.database_url, log: (message) => log.warn(message) })
    : await openPglite(embedded ?? startEmbedded(config))
  await migrate(opened.db)
  const counters = config.redis_url ? await redisCounters(config.redis_url, log) : createMemoryCounters()
  return {
    engine: `${opened.engine} + ${config.redis_url ? 'redis' : 'memory'}`,
    journal: around('journal', faultsAs('audit_unavailable', createJournal(opened))),
    keys: faultsAs('audit_unavailable', createKeyStore(opened.db)),
    credentials: faultsAs('audit_unavailable', createCredentialStore(opened.db)),
    policies: faultsAs('audit_unavailable', createRevisionStore(opened.db)),
    counters: around('counters', faultsAs('counters_unavailable', counters)),
  }
}

/** Loaded where it is used: without Redis, no start waits for its client. */
async function redisCounters(url: string, log: Logger): Promise<Counters> {
  const { createRedisCounters } = await import('../store/redis/index.ts')
  return createRedisCounters({ url, log })
}
