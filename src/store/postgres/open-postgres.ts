/** Opens PostgreSQL. Nothing is connected yet; each pool connects, and connects again, when it is asked. */
import pg from 'pg'
import { assumeAppRole, kyselyOver, type Opened } from './opened.ts'

interface PostgresOptions {
  /** `postgres://user:password@host:5432/database`; TLS as its `sslmode` says. */
  readonly url: string
  /** Connections for reading; the writers have theirs beside them. */
  readonly poolMax?: number
  /** Told of connections lost while idle; the pool replaces them by itself. */
  readonly log?: (message: string) => void
}

/** Batches under way at once: where the disk is quick to sync two would do, where it is slow the others add a sixth. */
const PUMPS = 4

/**
 * A database that is stuck must refuse, not hang. The server gives up first, so that the connection survives; the client
 * gives up on a server that says nothing at all.
 */
const TIMEOUTS = {
  connectionTimeoutMillis: 3_000,
  statement_timeout: 5_000,
  lock_timeout: 4_000,
  query_timeout: 5_500,
  idle_in_transaction_session_timeout: 30_000,
} as const

export function openPostgres({ url, poolMax = 8, log = () => {} }: PostgresOptions): Opened {
  const common = { ...TIMEOUTS, connectionString: url, keepAlive: true, onConnect: assumeAppRole }
  const reads = new pg.Pool({ ...common, max: poolMax, application_name: 'countersign' })
  const writes = new pg.Pool({ ...common, max: PUMPS, idleTimeoutMillis: 0, application_name: 'countersign-journal' })
  const lost = (error: Error): void => log(`a database connection was lost: ${error.message}`)
  for (const pool of [reads, writes]) {
    // A connection that breaks says so to the pool while it is idle, and to nobody while it is lent out: then its query
    // fails as well, and without a listener here the event would end the process.
    pool.on('error', lost)
    pool.on('connect', (client) => client.on('error', () => {}))
  }
  const db = kyselyOver(reads)
  let closing: Promise<void> | undefined
  return {
    engine: 'postgresql',
    db,
    reads,
    writes,
    pumps: PUMPS,
    close: () => {
      closing ??= Promise.all([db.destroy(), reads.end(), writes.end()]).then(() => undefined)
      return closing
    },
  }
}
