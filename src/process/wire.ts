/** The rooms, each behind the name under which the stories know it. */
import type { Logger } from 'pino'
import type { Catalogue } from '../catalogue/index.ts'
import type { Config } from '../config.ts'
import type { Upstream } from '../forward/index.ts'
import { keyFinder, type MasterKey, sealer } from '../identity/index.ts'
import { Fault } from '../model/fault.ts'
import type { PolicyStore } from '../policy/index.ts'
import { running } from '../replay/index.ts'
import type { Rooms } from '../rooms.ts'
import type { Metrics } from '../server/index.ts'
import { faultOf } from './log.ts'
import type { Stores } from './stores.ts'

/** How long a twin waits beyond the provider's deadline, for the first one's commits. */
const JOIN_MARGIN_MS = 5_000

interface Parts {
  readonly gateway_id: string
  readonly config: Config
  readonly catalogue: Catalogue
  readonly master: MasterKey
  readonly stores: Stores
  readonly policies: PolicyStore
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly rebuild: (organisation: string, refused?: number) => Promise<void>
  readonly metrics: Metrics
  readonly log: Logger
}

export function wire({
  gateway_id,
  config,
  catalogue,
  master,
  stores,
  policies,
  upstreams,
  rebuild,
  metrics,
  log,
}: Parts): Rooms {
  const { journal, counters, keys } = stores
  const deadlines = Object.values(config.providers).map((provider) => provider.deadline_ms)
  return {
    gateway_id,
    catalogue,
    findKey: keyFinder(keys, master),
    journal,
    counters,
    policy: () => policies.current(),
    upstream: (provider) => upstreams.get(provider)!,
    bodies: sealer(master.bodies),
    running: running((event) => journal.call(event)),
    pulse: { at: Date.now() },
    abandoned: new Map(),
    rehydrate: (organisation, refused) => {
      rebuild(organisation, refused).catch((error) =>
        log.error({ organisation, ...faultOf(error) }, 'the counters could not be rebuilt'),
      )
    },
    settings: {
      budgets: config.budgets,
      rates: config.rates,
      repeat: config.repeat,
      silent_ms: config.recovery.silent_ms,
      join_ms: Math.max(...deadlines) + JOIN_MARGIN_MS,
    },
    now: () => new Date(),
    onFault: (event_id, fault) => {
      metrics.faults.inc({ part: fault instanceof Fault ? fault.code : 'internal_fault' })
      log.error({ event_id, ...faultOf(fault) }, 'a part failed')
    },
  }
}
