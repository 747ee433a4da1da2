/** Making a vault key from what an operator asked for. */
import type { VaultKey } from '../model/agent.ts'
import type { Budget } from '../model/budget.ts'
import { milliseconds } from '../model/duration.ts'
import { newId } from '../model/id.ts'
import type { MasterKey } from './seal.ts'
import { digestOf, newSecret } from './secret.ts'

/** The body of `POST /admin/vault-keys`, already checked against `schemas/vault-key.json`. */
export interface VaultKeyRequest
  extends Omit<VaultKey, 'id' | 'organisation' | 'budgets' | 'created_at' | 'revoked_at'>,
    Partial<Pick<VaultKey, 'organisation' | 'budgets'>> {
  /** Whole or decimal dollars. */
  readonly daily_cap_usd?: number
  /** `90s`, `15m`, `1h`, `7d`. */
  readonly ttl?: string
}

export interface IssuedKey {
  readonly key: VaultKey
  /** Shown once. */
  readonly secret: string
  readonly digest: Buffer
}

export function issueVaultKey(request: VaultKeyRequest, master: MasterKey, now: Date): IssuedKey {
  const { ttl, expires_at, daily_cap_usd, budgets, organisation, ...given } = request
  const secret = newSecret()
  const expiry = expires_at ?? (ttl && new Date(now.getTime() + milliseconds(ttl)).toISOString())
  const daily: readonly Budget[] =
    daily_cap_usd === undefined
      ? []
      : [{ scope: 'key', window: 'day', cap: Math.floor(daily_cap_usd * 100 + 1e-6), currency: 'usd' }]
  const key: VaultKey = {
    id: newId('vk'),
    organisation: organisation ?? 'default',
    ...given,
    budgets: [...daily, ...(budgets ?? [])],
    created_at: now.toISOString(),
    ...(expiry ? { expires_at: expiry } : {}),
  }
  return { key, secret, digest: digestOf(master, secret) }
}
