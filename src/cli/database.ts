/** The database as `migrate` and `doctor` open it, without a gateway. */
import { readdirSync } from 'node:fs'
import { sql } from 'kysely'
import type { Config } from '../config.ts'
import { PREPARED_DATABASE } from '../layout.ts'
import { type Opened, openPglite, openPostgres } from '../store/postgres/index.ts'

export async function openDatabase({ database_url, data_dir }: Config): Promise<Opened> {
  return database_url
    ? openPostgres({ url: database_url })
    : openPglite({ dataDir: data_dir, preparedFile: PREPARED_DATABASE })
}

/** Never the address itself: it may carry a password. */
export const nameOf = ({ database_url, data_dir }: Config): string =>
  database_url ? 'the database of DATABASE_URL' : `the embedded database in ${data_dir}`

/** Of the migrations that this version carries, those that the database lacks, in their order. */
export async function pendingMigrations({ db }: Opened): Promise<readonly string[]> {
  const { rows } = await sql<{ present: boolean }>`
    select to_regclass('countersign_migrations') is not null as present`.execute(db)
  const applied = rows[0]?.present
    ? (await sql<{ name: string }>`select name from countersign_migrations`.execute(db)).rows.map(({ name }) => name)
    : []
  return readdirSync(new URL('../store/postgres/migrations/', import.meta.url))
    .map((file) => /^(\d{4}-[a-z-]+)\.(?:ts|js)$/.exec(file)?.[1])
    .filter((name): name is string => name !== undefined && !applied.includes(name))
    .sort()
}
