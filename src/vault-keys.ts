/** What operators do with vault keys; each change has its audit row before it takes effect. */
import { row } from './audit/index.ts'
import { type IssuedKey, issueVaultKey, type MasterKey, type VaultKeyRequest } from './identity/index.ts'
import type { KeyFilter, KeyStore, VaultKey } from './model/agent.ts'
import type { Counters } from './model/counters.ts'
import { milliseconds } from './model/duration.ts'
import { newEventId } from './model/id.ts'
import type { Journal } from './model/journal.ts'
import { isCurrency } from './model/money.ts'
import { type Refusal, refuse } from './model/refusal.ts'
import { linesFor } from './spend/index.ts'

export interface VaultKeys {
  /** The secret is in the answer, this once. */
  create(request: VaultKeyRequest): Promise<IssuedKey | Refusal>
  list(filter: KeyFilter): Promise<readonly VaultKey[]>
  get(id: string): Promise<VaultKey | null>
  /** Its own budgets, as they stand now. */
  spend(key: VaultKey): Promise<readonly object[]>
  /** The ids that were revoked by this. */
  revoke(filter: KeyFilter): Promise<readonly string[]>
  /** A new key for the same purpose; the old one ends when the overlap is over. */
  rotate(key: VaultKey, overlap: string): Promise<IssuedKey>
}

interface Parts {
  readonly keys: KeyStore
  readonly journal: Journal
  readonly counters: Counters
  readonly master: MasterKey
  /** Opens the counters of an organisation that is new to them. */
  readonly open: (organisation: string) => Promise<void>
  readonly now: () => Date
}

export function vaultKeys({ keys, journal, counters, master, open, now }: Parts): VaultKeys {
  const note = (kind: 'key_created' | 'key_revoked', key: VaultKey) =>
    row(kind, { event_id: newEventId(), key, ...(key.run === undefined ? {} : { run: key.run }) }, {}, now())

  async function add(issued: IssuedKey): Promise<IssuedKey> {
    await journal.append([note('key_created', issued.key)])
    await keys.insert(issued.key, issued.digest)
    await open(issued.key.organisation)
    return issued
  }

  return {
    async create(request) {
      const odd = request.budgets?.find(({ currency }) => !isCurrency(currency))
      if (odd)
        return refuse('invalid_params', `budgets: ${odd.currency} is not an ISO 4217 currency.`, {
          fix: 'Use one such as usd.',
        })
      if (request.expires_at && Date.parse(request.expires_at) <= now().getTime())
        return refuse('invalid_params', `expires_at ${request.expires_at} is in the past.`, {
          fix: 'Name a time to come, or a ttl.',
        })
      return add(issueVaultKey(request, master, now()))
    },
    list: (filter) => keys.list(filter),
    get: (id) => keys.get(id),
    async spend(key) {
      const call = { ...key, key: key.id, agent: key.agent.id, provider: '', group: '' }
      const lines = linesFor({ budgets: key.budgets, call, amount: undefined, now: now(), rates: {} })
      if (!Array.isArray(lines) || lines.length === 0) return []
      const states = await counters.read(
        key.organisation,
        lines.map(({ counter }) => counter),
      )
      return lines.map(({ budget, scope, window, cap, currency, ends_at }, at) => {
        const { spent, reserved } = states[at]!
        return { budget, scope, window, cap, spent, reserved, currency, ...(ends_at && { ends_at }) }
      })
    },
    async revoke(filter) {
      const alive = (await keys.list(filter)).filter(({ revoked_at }) => !revoked_at)
      if (alive.length > 0) await journal.append(alive.map((key) => note('key_revoked', key)))
      return keys.revoke(filter, now().toISOString())
    },
    async rotate(old, overlap) {
      const { id: _id, created_at: _created, expires_at, revoked_at: _revoked, budgets, ...purpose } = old
      const issued = issueVaultKey({ ...purpose, budgets, ...(expires_at && { expires_at }) }, master, now())
      await add(issued)
      await keys.expireBy(old.id, new Date(now().getTime() + milliseconds(overlap)).toISOString())
      return issued
    },
  }
}
