/** The provider's own secrets. Each record is encrypted under a data key of its own, which the master key wraps. */
import { randomBytes } from 'node:crypto'
import type { CredentialStore } from '../model/credential.ts'
import { type MasterKey, openBytes, sealBytes } from './seal.ts'

export interface CredentialVault {
  put(provider: string, organisation: string | null, secret: string, now: Date): Promise<void>
  /** The organisation's own credential, else the gateway's; null where neither is stored. */
  get(provider: string, organisation: string): Promise<string | null>
}

/** A rotated credential is in use everywhere within this time. */
const TRUSTED_MS = 1_000
const WRAPPED_KEY_BYTES = 1 + 12 + 16 + 32

export function credentialVault(store: CredentialStore, master: MasterKey): CredentialVault {
  const recent = new Map<string, { at: number; secret: Promise<string | null> }>()
  const place = (provider: string, organisation: string | null) => `credential ${provider} ${organisation ?? '*'}`

  async function load(provider: string, organisation: string | null): Promise<string | null> {
    const record = await store.get(provider, organisation)
    if (!record) return null
    const at = place(record.provider, record.organisation)
    const dataKey = openBytes(master.credentials, record.wrapped.subarray(0, WRAPPED_KEY_BYTES), at)
    return openBytes(dataKey, record.wrapped.subarray(WRAPPED_KEY_BYTES), at).toString()
  }

  return {
    async put(provider, organisation, secret, now) {
      const dataKey = randomBytes(32)
      const at = place(provider, organisation)
      const wrapped = Buffer.concat([
        sealBytes(master.credentials, dataKey, at),
        sealBytes(dataKey, Buffer.from(secret), at),
      ])
      await store.put({ provider, organisation, key_version: 1, wrapped, created_at: now.toISOString() })
      recent.clear()
    },
    async get(provider, organisation) {
      const name = `${provider}\n${organisation}`
      const known = recent.get(name)
      if (known && Date.now() - known.at < TRUSTED_MS) return known.secret
      const secret = load(provider, organisation).then((own) => own ?? load(provider, null))
      recent.set(name, { at: Date.now(), secret })
      secret.catch(() => recent.delete(name))
      return secret
    },
  }
}
