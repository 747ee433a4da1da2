/** Upstream credentials, sealed before they come here. */
import type { Kysely, Selectable } from 'kysely'
import type { CredentialStore, StoredCredential } from '../../model/credential.ts'
import { guarded } from './faults.ts'
import type { Tables, UpstreamCredentialsTable } from './tables.ts'

/** The gateway's own credential is stored under the empty organisation, which no organisation can be named. */
const OWN = ''

const credentialOf = (row: Selectable<UpstreamCredentialsTable>): StoredCredential => ({
  provider: row.provider,
  organisation: row.organisation === OWN ? null : row.organisation,
  key_version: row.key_version,
  wrapped: row.wrapped,
  created_at: row.created_at.toISOString(),
})

const DURING = 'reading or writing the upstream credentials'

export function createCredentialStore(db: Kysely<Tables>): CredentialStore {
  return {
    put: (credential) =>
      guarded(DURING, async () => {
        const row = { ...credential, organisation: credential.organisation ?? OWN }
        const { key_version, wrapped, created_at } = row
        await db
          .insertInto('upstream_credentials')
          .values(row)
          .onConflict((conflict) =>
            conflict.columns(['provider', 'organisation']).doUpdateSet({ key_version, wrapped, created_at }),
          )
          .execute()
      }),

    get: (provider, organisation) =>
      guarded(DURING, async () => {
        const row = await db
          .selectFrom('upstream_credentials')
          .selectAll()
          .where('provider', '=', provider)
          .where('organisation', '=', organisation ?? OWN)
          .executeTakeFirst()
        return row === undefined ? null : credentialOf(row)
      }),

    list: () =>
      guarded(DURING, async () => {
        const stored = db.selectFrom('upstream_credentials').selectAll()
        const rows = await stored.orderBy('provider').orderBy('organisation').execute()
        return rows.map(credentialOf)
      }),

    delete: (provider, organisation) =>
      guarded(DURING, async () => {
        const result = await db
          .deleteFrom('upstream_credentials')
          .where('provider', '=', provider)
          .where('organisation', '=', organisation ?? OWN)
          .executeTakeFirst()
        return result.numDeletedRows > 0n
      }),
  }
}
