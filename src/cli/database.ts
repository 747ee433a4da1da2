/** The database as `migrate` and `doctor` open it, without a gateway. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Config } from '../config.ts'
import { PREPARED_DATABASE } from '../layout.ts'
import { ASSUME_APP_ROLE, LEAVE_APP_ROLE } from '../store/postgres/app-role.ts'
import { type Opened, openPglite, openPostgres } from '../store/postgres/index.ts'

export async function openDatabase({ database_url, data_dir }: Config): Promise<Opened> {
  return database_url
    ? openPostgres({ url: database_url })
    : openPglite({ dataDir: data_dir, preparedFile: PREPARED_DATABASE })
}

/** False: the first start makes it, at this version. */
export const isMade = ({ database_url, data_dir }: Config): boolean =>
  database_url !== undefined || existsSync(join(data_dir, 'pglite'))

/** Never the address itself: it may carry a password. */
export const nameOf = ({ database_url, data_dir }: Config): string =>
  database_url ? 'the database of DATABASE_URL' : `the embedded database in ${data_dir}`

/** Of the migrations that this version carries, those that the database lacks, in their order. Changes nothing. */
export async function pendingMigrations({ db }: Opened): Promise<readonly string[]> {
  const applied = await db.connection().execute(async (connection) => {
    // The role that gateways work as may not read this table.
    await sql.raw(LEAVE_APP_ROLE).execute(connection)
    try {
      const { rows } = await sql<{ present: boolean }>`
        select to_regclass('countersign_migrations') is not null as present`.execute(connection)
      if (!rows[0]?.present) return []
      return (await sql<{ name: string }>`select name from countersign_migrations`.execute(connection)).rows
    } finally {
      await sql.raw(ASSUME_APP_ROLE).execute(connection)
    }
  })
  return readdirSync(new URL('../store/postgres/migrations/', import.meta.url))
    .map((file) => /^(\d{4}-[a-z-]+)\.(?:ts|js)$/.exec(file)?.[1])
    .filter((known): known is string => known !== undefined && !applied.some(({ name }) => name === known))
    .sort()
}
