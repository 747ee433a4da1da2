/** Brings the database to this version of the code. The list is code, so a build carries it and nothing reads a folder. */
import { type Kysely, type Migration, Migrator, sql } from 'kysely'
import { ASSUME_APP_ROLE, LEAVE_APP_ROLE } from './app-role.ts'
import { up as journal } from './migrations/0001-journal.ts'
import { up as writeBatch } from './migrations/0002-write-batch.ts'
import { up as keys } from './migrations/0003-keys.ts'
import { up as appRole } from './migrations/0004-app-role.ts'
import { up as policies } from './migrations/0005-policies.ts'
import { up as policyModules } from './migrations/0006-policy-modules.ts'
import { up as findTwins } from './migrations/0007-find-twins.ts'
import type { Tables } from './tables.ts'

/** In order of their names. One that was released is never changed: mend it with the next. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-journal': { up: journal },
  '0002-write-batch': { up: writeBatch },
  '0003-keys': { up: keys },
  '0004-app-role': { up: appRole },
  '0005-policies': { up: policies },
  '0006-policy-modules': { up: policyModules },
  '0007-find-twins': { up: findTwins },
}

const TABLE = 'countersign_migrations'

/** Any number that nobody else locks: gateways that start at once migrate one after the other. */
const MIGRATION_LOCK = 4_357_001

/** The migrations of this version that the database lacks, in their order. Changes nothing; throws where it is newer. */
export async function pendingMigrations(db: Kysely<Tables>): Promise<readonly string[]> {
  const applied = await asOwner(db, appliedTo)
  return isCurrent(applied) ? [] : Object.keys(MIGRATIONS).filter((name) => !applied.includes(name))
}

/**
 * Returns the names of the migrations that it applied, none where the database was up to date.
 * Throws where the database is newer than the code, or a migration fails; then nothing has changed.
 */
export async function migrate(db: Kysely<Tables>): Promise<readonly string[]> {
  return asOwner(db, async (connection) => {
    // Nearly every start ends here, at the price of two small queries.
    if (isCurrent(await appliedTo(connection))) return []
    return oneAtATime(connection, () => apply(connection))
  })
}

/** Out of the app's role for as long as it takes: that role may neither change tables nor read what was applied. */
async function asOwner<Result>(
  db: Kysely<Tables>,
  work: (connection: Kysely<Tables>) => Promise<Result>,
): Promise<Result> {
  return db.connection().execute(async (connection) => {
    await sql.raw(LEAVE_APP_ROLE).execute(connection)
    try {
      return await work(connection)
    } finally {
      await sql.raw(ASSUME_APP_ROLE).execute(connection)
    }
  })
}

async function appliedTo(connection: Kysely<Tables>): Promise<readonly string[]> {
  const { rows } = await sql<{ present: boolean }>`
    select to_regclass(${TABLE}) is not null as present`.execute(connection)
  if (!rows[0]?.present) return []
  const applied = await sql<{ name: string }>`select name from ${sql.table(TABLE)} order by name`.execute(connection)
  return applied.rows.map((row) => row.name)
}

/** Throws where the database has migrations that the code does not know. */
function isCurrent(applied: readonly string[]): boolean {
  const unknown = applied.filter((name) => !(name in MIGRATIONS))
  if (unknown.length === 0) return applied.length === Object.keys(MIGRATIONS).length
  throw new Error(
    `the database is newer than this gateway: it has the migrations ${unknown.join(', ')}, which this version does not ` +
      'know. Start a gateway of the version that made them, or a later one.',
  )
}

async function oneAtATime<Result>(connection: Kysely<Tables>, work: () => Promise<Result>): Promise<Result> {
  await sql`select pg_advisory_lock(${sql.lit(MIGRATION_LOCK)})`.execute(connection)
  try {
    return await work()
  } finally {
    await sql`select pg_advisory_unlock(${sql.lit(MIGRATION_LOCK)})`.execute(connection)
  }
}

async function apply(connection: Kysely<Tables>): Promise<readonly string[]> {
  const migrator = new Migrator({
    db: connection,
    provider: { getMigrations: async () => MIGRATIONS },
    migrationTableName: TABLE,
    migrationLockTableName: `${TABLE}_lock`,
  })
  const { error, results } = await migrator.migrateToLatest()
  const failed = results?.find((result) => result.status === 'Error')
  if (error !== undefined) {
    const what = failed === undefined ? 'could not begin' : `${failed.migrationName} failed, and nothing was changed`
    throw new Error(`migrating the database: ${what}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
  return results?.map((result) => result.migrationName) ?? []
}
