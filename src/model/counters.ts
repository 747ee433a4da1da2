/** The port to the spend counters: the fast mirror of the ledger. Redis for one machine or many; in process when embedded. */
import type { BudgetLine, CounterState, Held } from './budget.ts'
import type { EventId } from './id.ts'

export interface Admission {
  readonly organisation: string
  readonly event_id: EventId
  /** What makes a repeat a repeat (call id, fingerprint); claimed in the same step, so that twins never reserve twice. */
  readonly identities: readonly string[]
  readonly lines: readonly BudgetLine[]
}

export type Admitted =
  | { readonly kind: 'reserved'; readonly generation: number; readonly alerts: readonly SpendAlert[] }
  /** Another event holds one of the identities: join it. */
  | { readonly kind: 'twin'; readonly event_id: EventId }
  /** Nothing was reserved in any budget. */
  | { readonly kind: 'capped'; readonly line: BudgetLine; readonly state: CounterState }
  /** The counters lost their memory, or never had one: rehydrate before anything is admitted. */
  | { readonly kind: 'fenced' }

/** A threshold that this reservation crossed. */
export interface SpendAlert {
  readonly line: BudgetLine
  readonly percent: number
  readonly committed: number
}

/** A reservation as the counters or the journal remember it. */
export interface OpenReservation {
  readonly event_id: EventId
  readonly held: readonly Held[]
  readonly identities: readonly string[]
}

export interface Counters {
  /** Checks and reserves every line in one atomic step: all or none. */
  reserve(admission: Admission): Promise<Admitted>
  /**
   * Moves a reservation to what was really spent (`[]` releases it). Idempotent: an event without a reservation is left
   * alone and answers false. Identities stay claimed for `keep_ms` after, or are freed at once with 0.
   */
  settle(organisation: string, event: EventId, spent: readonly Held[], keep_ms: number): Promise<boolean>
  /**
   * One state per counter asked for, in order; zeros for a counter that has none. Throws the fault `counters_rehydrating`
   * while the fence is closed: zeros would then be a lie.
   */
  read(organisation: string, counters: readonly string[]): Promise<readonly CounterState[]>
  /** Reservations older than `age_ms`, for the story in `recover.ts`. */
  stale(organisation: string, age_ms: number): Promise<readonly OpenReservation[]>
  /**
   * Asks to rehydrate. `open`: not needed, the fence is open under a generation above `above`. `busy`: another gateway does
   * it. `yours`: the fence is closed now, and for `lease_ms` nobody else is told `yours`.
   */
  startRehydration(organisation: string, above: number, lease_ms: number): Promise<'open' | 'busy' | 'yours'>
  /**
   * Replaces everything of this organisation by the ledger's fold and opens the fence under `generation`. Does nothing
   * where a later generation was there first. False: the counters lost a part of it meanwhile, and it must begin again.
   */
  rehydrate(
    organisation: string,
    generation: number,
    states: readonly (CounterState & { readonly ends_at?: string })[],
    open: readonly OpenReservation[],
  ): Promise<boolean>
  /** Rejects when the counters cannot be reached. */
  ping(): Promise<void>
  close(): Promise<void>
}
