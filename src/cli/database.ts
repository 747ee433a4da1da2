/** The database as `migrate` and `doctor` open it, without a gateway. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { startEmbedded } from '../process/embedded.ts'
import { FOLDER } from '../store/pglite/index.ts'
import { type Opened, openPglite, openPostgres } from '../store/postgres/index.ts'

export async function openDatabase({ database_url, data_dir }: Config): Promise<Opened> {
  return database_url ? openPostgres({ url: database_url }) : openPglite(startEmbedded({ data_dir }))
}

/** False: the first start makes it, at this version. */
export const isMade = ({ database_url, data_dir }: Config): boolean =>
  database_url !== undefined || existsSync(join(data_dir, FOLDER))

/** Never the address itself: it may carry a password. */
export const nameOf = ({ database_url, data_dir }: Config): string =>
  database_url ? 'the database of DATABASE_URL' : `the embedded database in ${data_dir}`
