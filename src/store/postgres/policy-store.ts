/** The history of policies. A change, its revision, its module and its audit rows are one transaction. */
import { type Kysely, type Selectable, sql } from 'kysely'
import type { NewChange, PolicyChange, PolicyOrigin, RevisionStore } from '../../model/revision.ts'
import { argumentOf, rowOf } from './event-row.ts'
import { guarded } from './faults.ts'
import type { PolicyChangesTable, Tables } from './tables.ts'

const DURING = 'reading or writing the history of policies'
const UNIQUE_VIOLATION = '23505'

export function createRevisionStore(db: Kysely<Tables>): RevisionStore {
  const changes = (limit: number): Promise<readonly PolicyChange[]> =>
    guarded(DURING, async () =>
      (await db.selectFrom('policy_changes').selectAll().orderBy('seq', 'desc').limit(limit).execute()).map(changeOf),
    )
  return {
    newest: async () => (await changes(1))[0] ?? null,
    changes,

    get: (revision) =>
      guarded(DURING, async () => {
        const row = await db
          .selectFrom('policy_revisions')
          .selectAll()
          .where('revision', '=', revision)
          .executeTakeFirst()
        return row === undefined ? null : { ...row, created_at: row.created_at.toISOString() }
      }),

    knows: (own_digest) =>
      guarded(DURING, async () => {
        const found = db.selectFrom('policy_revisions').select('revision').where('own_digest', '=', own_digest)
        return (await found.limit(1).executeTakeFirst()) !== undefined
      }),

    module: (compiled_as) =>
      guarded(DURING, async () => {
        const found = db.selectFrom('policy_modules').selectAll().where('compiled_as', '=', compiled_as)
        const row = await found.executeTakeFirst()
        return row === undefined ? null : { ...row, created_at: row.created_at.toISOString() }
      }),

    knowsModule: (compiled_as) =>
      guarded(DURING, async () => {
        const found = db.selectFrom('policy_modules').select('compiled_as').where('compiled_as', '=', compiled_as)
        return (await found.executeTakeFirst()) !== undefined
      }),

    put: (written) =>
      guarded(DURING, async () => {
        try {
          await db.transaction().execute((transaction) => write(transaction, written))
          return true
        } catch (error) {
          const { code, constraint } = error as { code?: unknown; constraint?: unknown }
          if (code === UNIQUE_VIOLATION && constraint === 'policy_changes_pkey') return false
          throw error
        }
      }),
  }
}

async function write(transaction: Kysely<Tables>, { change, revision, module, events }: NewChange): Promise<void> {
  await transaction
    .insertInto('policy_revisions')
    .values(revision)
    .onConflict((conflict) => conflict.column('revision').doNothing())
    .execute()
  if (module !== null)
    await transaction
      .insertInto('policy_modules')
      .values(module)
      .onConflict((conflict) => conflict.column('compiled_as').doNothing())
      .execute()
  await transaction.insertInto('policy_changes').values(change).execute()
  const rows = events.map((event) => argumentOf(rowOf(event), 0))
  await sql`select from write_batch(${`[${rows.join(',')}]`}, '[]', '[]', '[]', '[]', '[]', '[]')`.execute(transaction)
}

const changeOf = (row: Selectable<PolicyChangesTable>): PolicyChange => ({
  ...row,
  seq: Number(row.seq),
  origin: row.origin as PolicyOrigin,
  at: row.at.toISOString(),
})
