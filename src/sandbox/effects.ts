/**
 * What tests read: the effects (each write that changed state, exactly once) and the requests (whatever arrived).
 * Both are numbered from 1 without gaps; the oldest fall off past a bound, which a first `seq` above 1 shows.
 */

/** What a handler says that it did; at most one a request. */
export interface Change {
  /** `charge.created`, `refund.created`, `payment_intent.captured`, … */
  readonly kind: string
  readonly object: string
  /** Minor units that the object is about; null where it is about no money. */
  readonly amount: number | null
  readonly currency: string | null
  readonly customer: string | null
  /** Minor units that really moved with this change: 0 for a decline, an authorisation, an intent that waits. */
  readonly moved: number
}

export interface Effect extends Change {
  readonly seq: number
  /** RFC 3339, UTC. */
  readonly at: string
  /** `platform`, or the connected account that it happened in. */
  readonly account: string
  readonly idempotency_key: string | null
  readonly request_id: string
}

/** Never the secret itself: what kind of credential it was, and enough of its digest to tell two apart. */
export interface SeenCredential {
  readonly kind: 'none' | 'bearer' | 'basic' | 'other'
  /** `sk_test`, `rk_test`, `sk_live`, `cs` …; null where it has no such prefix. */
  readonly prefix: string | null
  /** The first 12 hex digits of the SHA-256 of the credential. */
  readonly sha256: string | null
}

export interface SeenRequest {
  readonly seq: number
  readonly at: string
  readonly request_id: string
  readonly method: string
  /** With its query, as it arrived. */
  readonly path: string
  readonly idempotency_key: string | null
  readonly authorization: SeenCredential
  /** Null while it is being answered, and for ever where it was left without an answer. */
  status: number | null
  effect: boolean
  /** Answered from an idempotency key's record. */
  replayed: boolean
  /** The rule of `misbehave` that was applied, by its `do`. */
  misbehaved: string | null
}

const KEEP_MAX = 500_000

export class Ledger<T extends { readonly seq: number }> {
  #entries: T[] = []
  #next = 1

  append(entry: Omit<T, 'seq'>): T {
    // Dropping in bulk keeps an append cheap.
    if (this.#entries.length >= KEEP_MAX) this.#entries = this.#entries.slice(KEEP_MAX / 2)
    const numbered = { seq: this.#next++, ...entry } as T
    this.#entries.push(numbered)
    return numbered
  }

  since(seq: number): readonly T[] {
    return seq > 0 ? this.#entries.filter((entry) => entry.seq > seq) : this.#entries
  }

  clear(): void {
    this.#entries = []
    this.#next = 1
  }
}
