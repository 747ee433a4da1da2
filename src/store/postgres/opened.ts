/** An open database, PostgreSQL or PGlite: both speak through pg's pool, so everything above is written once. */
import { Kysely, PostgresDialect } from 'kysely'
import type pg from 'pg'
import { ASSUME_APP_ROLE } from './app-role.ts'
import type { Tables } from './tables.ts'

export interface Opened {
  readonly engine: 'postgresql' | 'pglite'
  readonly db: Kysely<Tables>
  readonly reads: pg.Pool
  /** The group commit's own connections: a slow query never makes a call wait. On PGlite, which has one session, the same pool. */
  readonly writes: pg.Pool
  /** How many batches may be under way at once. */
  readonly pumps: number
  /** Idempotent. */
  close(): Promise<void>
}

/** The pool stays ours to end: Kysely is destroyed only for its own part. */
export const kyselyOver = (pool: pg.Pool): Kysely<Tables> =>
  new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: { connect: () => pool.connect(), end: async () => {} } as never }),
  })

/** For the pool's `onConnect`, which it awaits before it hands the connection out. */
export const assumeAppRole = async (client: pg.ClientBase): Promise<void> => {
  await client.query(ASSUME_APP_ROLE)
}
