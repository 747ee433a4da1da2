/** How upstream credentials come in: from the environment at a start, and from operators, with a row. */
import { row } from '../audit/index.ts'
import type { Catalogue } from '../catalogue/index.ts'
import type { Config } from '../config.ts'
import type { CredentialVault } from '../identity/index.ts'
import { newEventId } from '../model/id.ts'
import type { Journal } from '../model/journal.ts'
import { refuse } from '../model/refusal.ts'
import type { SandboxProcess } from '../sandbox-process.ts'
import type { AdminPlane } from '../server/index.ts'

const SANDBOX_CREDENTIAL = 'sk_test_sandbox'

/** Credentials of the environment are taken where none is stored; the sandbox wants none but its own. */
export async function takeCredentials(
  config: Config,
  credentials: CredentialVault,
  sandbox: SandboxProcess | undefined,
): Promise<void> {
  for (const [provider, { credential }] of Object.entries(config.providers)) {
    const secret = credential ?? (sandbox && SANDBOX_CREDENTIAL)
    if (secret && (await credentials.get(provider, '')) === null)
      await credentials.put(provider, null, secret, new Date())
  }
}

/** No audit row, no credential: the row is committed first. */
export const credentialKeeper =
  (catalogue: Catalogue, journal: Journal, credentials: CredentialVault): AdminPlane['storeCredential'] =>
  async (provider, organisation, secret) => {
    if (!catalogue.provider(provider)) return refuse('unknown_provider', `There is no provider ${provider}.`)
    const now = new Date()
    const whose = organisation === null ? {} : { organisation }
    await journal.append([row('credential_stored', { event_id: newEventId(), provider }, whose, now)])
    await credentials.put(provider, organisation, secret, now)
    return undefined
  }
