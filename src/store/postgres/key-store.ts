/** Vault keys. What may change (expiry, revocation) and what is searched has columns; the rest of the key is one JSON value. */
import type { Kysely, Selectable } from 'kysely'
import type { KeyFilter, KeyStore, VaultKey } from '../../model/agent.ts'
import { guarded } from './faults.ts'
import type { Tables, VaultKeysTable } from './tables.ts'

const DURING = 'reading or writing the vault keys'

export function createKeyStore(db: Kysely<Tables>): KeyStore {
  return {
    findByDigest: (digest) =>
      guarded(DURING, async () => {
        const row = await db.selectFrom('vault_keys').selectAll().where('digest', '=', digest).executeTakeFirst()
        return row === undefined ? null : keyOf(row)
      }),

    get: (id) =>
      guarded(DURING, async () => {
        const row = await db.selectFrom('vault_keys').selectAll().where('id', '=', id).executeTakeFirst()
        return row === undefined ? null : keyOf(row)
      }),

    list: (filter) =>
      guarded(DURING, async () => {
        let keys = db.selectFrom('vault_keys').selectAll()
        for (const [column, value] of conditions(filter)) keys = keys.where(column, '=', value)
        return (await keys.orderBy('created_at').orderBy('id').execute()).map(keyOf)
      }),

    insert: (key, digest) =>
      guarded(DURING, async () => {
        const { created_at, expires_at, revoked_at, ...facts } = key
        await db
          .insertInto('vault_keys')
          .values({
            id: key.id,
            digest,
            organisation: key.organisation,
            project: key.project ?? null,
            agent: key.agent.id,
            role: key.agent.role ?? null,
            run: key.run ?? null,
            facts: JSON.stringify(facts),
            created_at,
            expires_at: expires_at ?? null,
            revoked_at: revoked_at ?? null,
          })
          .execute()
      }),

    revoke: (filter, at) =>
      guarded(DURING, async () => {
        const wanted = conditions(filter)
        if (wanted.length === 0)
          throw new Error('revoking needs a filter: an empty one would revoke the keys of every organisation')
        let keys = db.updateTable('vault_keys').set({ revoked_at: at }).where('revoked_at', 'is', null)
        for (const [column, value] of wanted) keys = keys.where(column, '=', value)
        return (await keys.returning('id').execute()).map(({ id }) => id).sort()
      }),

    expireBy: (id, at) =>
      guarded(DURING, async () => {
        await db
          .updateTable('vault_keys')
          .set({ expires_at: at })
          .where('id', '=', id)
          .where((row) => row.or([row('expires_at', 'is', null), row('expires_at', '>', new Date(at))]))
          .execute()
      }),
  }
}

const COLUMNS = [
  'id',
  'organisation',
  'project',
  'agent',
  'role',
  'run',
] as const satisfies readonly (keyof KeyFilter)[]

function conditions(filter: KeyFilter): readonly (readonly [(typeof COLUMNS)[number], string])[] {
  return COLUMNS.flatMap((column) => {
    const value = filter[column]
    return value === undefined ? [] : [[column, value] as const]
  })
}

const keyOf = ({ facts, created_at, expires_at, revoked_at }: Selectable<VaultKeysTable>): VaultKey => ({
  ...(facts as Omit<VaultKey, 'created_at' | 'expires_at' | 'revoked_at'>),
  created_at: created_at.toISOString(),
  ...(expires_at === null ? {} : { expires_at: expires_at.toISOString() }),
  ...(revoked_at === null ? {} : { revoked_at: revoked_at.toISOString() }),
})
