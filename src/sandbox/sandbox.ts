/** One sandbox: its accounts, its ledgers, its idempotency keys and its rules of misbehaviour. In memory only. */
import { AccountState } from './account.ts'
import { type Effect, Ledger, type SeenRequest } from './effects.ts'
import { IdempotencyKeys } from './idempotency.ts'
import { Misbehaviour } from './misbehave.ts'
import { plant, type Seed } from './seed.ts'

const PLATFORM = 'platform'

export class Sandbox {
  readonly effects = new Ledger<Effect>()
  readonly requests = new Ledger<SeenRequest>()
  readonly keys = new IdempotencyKeys()
  readonly misbehaviour = new Misbehaviour()
  platform = new AccountState(PLATFORM)
  /** Goes up with each reset: a request from before it must not act after it. */
  epoch = 0
  readonly #seed: Seed
  #connected = new Map<string, AccountState>()

  constructor(seed: Seed) {
    this.#seed = seed
    plant(this.platform, seed)
  }

  /** By the `Stripe-Account` header; undefined for one that the platform has not. */
  account(id: string | undefined): AccountState | undefined {
    if (id === undefined) return this.platform
    if (!this.platform.accounts.find(id)) return undefined
    const known = this.#connected.get(id)
    if (known) return known
    const made = new AccountState(id)
    this.#connected.set(id, made)
    return made
  }

  /** Back to the seed that it was started with, as if nothing had arrived. */
  reset(): void {
    this.epoch++
    this.effects.clear()
    this.requests.clear()
    this.keys.clear()
    this.misbehaviour.clear()
    this.#connected = new Map()
    this.platform = new AccountState(PLATFORM)
    plant(this.platform, this.#seed)
  }
}
