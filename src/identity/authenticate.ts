/** The first step of every call. The order of the checks is the order of precedence. */
import type { KeyStore, VaultKey } from '../model/agent.ts'
import { type Refusal, refuse } from '../model/refusal.ts'
import type { MasterKey } from './seal.ts'
import { digestOf, isVaultSecret } from './secret.ts'

/** A revoked key must stop within a second on every gateway, so nobody trusts a look-up for longer than half of one. */
const LOOKUP_TRUSTED_MS = 500
const LOOKUPS_KEPT = 10_000

export type KeyFinder = (secret: string) => Promise<VaultKey | null>

/** Look-ups shared by the calls of half a second; in that time, nor is the digest taken again. */
export function keyFinder(keys: KeyStore, master: MasterKey, now: () => number = Date.now): KeyFinder {
  const recent = new Map<string, { at: number; key: Promise<VaultKey | null> }>()
  return (secret) => {
    const known = recent.get(secret)
    if (known && now() - known.at < LOOKUP_TRUSTED_MS) return known.key
    if (recent.size >= LOOKUPS_KEPT) recent.clear()
    const key = keys.findByDigest(digestOf(master, secret))
    recent.set(secret, { at: now(), key })
    key.catch(() => recent.delete(secret))
    return key
  }
}

/** `provider` null: the key itself is asked for, not a call. `credential`: what came as a bearer token, or as the user of basic authentication; null where none did. */
export async function authenticate(
  find: KeyFinder,
  credential: string | null,
  provider: string | null,
  now: Date,
): Promise<VaultKey | Refusal> {
  if (!credential)
    return refuse('missing_credential', 'The request has no Authorization header that holds a vault key.')
  if (/^(sk|rk)_live_|^whsec_|^SG\.|^re_[A-Za-z0-9]/.test(credential))
    return refuse(
      'live_provider_key',
      'The credential is a key of the provider itself. It was not used and is not logged.',
    )
  if (/^(sk|rk)_test_/.test(credential))
    return refuse('live_provider_key', "The credential is a provider's test key. Only vault keys (cs_…) work here.")
  if (/^csadm_/.test(credential)) return refuse('admin_token_refused', 'The credential is an admin token.')
  if (!isVaultSecret(credential))
    return refuse('unknown_key', 'The credential does not have the form of a vault key (cs_…).')

  const key = await find(credential)
  if (!key) return refuse('unknown_key', 'No vault key with this secret exists here.')
  if (key.revoked_at) return refuse('revoked_key', `The key ${key.id} was revoked at ${key.revoked_at}.`)
  if (key.expires_at && Date.parse(key.expires_at) <= now.getTime())
    return refuse('expired_key', `The key ${key.id} expired at ${key.expires_at}.`)
  if (provider !== null && key.providers && !key.providers.includes(provider))
    return refuse('wrong_provider', `The key ${key.id} is for ${key.providers.join(', ')}, not for ${provider}.`)
  return key
}
