/**
 * The port to the audit store: events, intents, outcomes and the spend ledger, which commit together or not at all.
 * PostgreSQL, or PGlite when embedded. Every method rejects with a fault when the store cannot be reached or written.
 */
import type { CounterState, Held } from './budget.ts'
import type { OpenReservation } from './counters.ts'
import type { AuditEvent, AuditQuery } from './event.ts'
import type { EventId } from './id.ts'
import type { OutcomeKind } from './outcome.ts'

/** What is written down before the first byte leaves. Enough to finish the call with no memory of it. */
export interface IntentRecord {
  readonly event_id: EventId
  readonly organisation: string
  readonly key_id: string
  readonly provider: string
  readonly operation: string
  /** Which gateway forwards it; recovery takes it over once that gateway is silent. */
  readonly gateway_id: string
  /** Call id and fingerprint; unique among calls that succeeded, run or are unknown. */
  readonly identities: readonly Identity[]
  readonly held: readonly Held[]
  /**
   * The counters' generation that admitted it; an older one than the journal's is refused. Null where nothing was
   * reserved: no rebuild of the counters can miss it.
   */
  readonly generation: number | null
  /** The exact request, encrypted: method, path, body. Sent again only byte for byte. */
  readonly sealed_request: Buffer
}

export interface Identity {
  readonly kind: 'call_id' | 'fingerprint'
  /** Organisation, run (or key) and the id or hash, joined: what must be unique. */
  readonly name: string
  /** Of provider, operation and params: tells a repeat from a conflict. */
  readonly digest: string
  /** A claim older than this, or than the window that was claimed with it, is no obstacle; absent: for ever. */
  readonly window_s?: number
}

export interface OutcomeRecord {
  readonly event_id: EventId
  readonly kind: OutcomeKind
  /** What settles in the ledger: what was really spent, or `[]`. Null keeps the reservation: the outcome is unknown. */
  readonly spent: readonly Held[] | null
  /** Encrypted answer, replayed to twins. */
  readonly sealed_answer?: Buffer
}

/** A call as the journal knows it. */
export interface CallRecord extends Omit<IntentRecord, 'generation'> {
  /** `running` until an outcome is committed; the newest outcome wins, so `unknown` may still become known. */
  readonly state: 'running' | OutcomeKind
  readonly sealed_answer?: Buffer
  readonly committed_at: string
  /** The decision row. */
  readonly event: AuditEvent
}

export type IntentCommit =
  | { readonly kind: 'committed' }
  /** Another event holds an identity; nothing was written. */
  | { readonly kind: 'twin'; readonly event_id: EventId }
  /** The generation is no longer the journal's, or recovery gave the reservation up; nothing was written. */
  | { readonly kind: 'fenced' }

/**
 * The fault of a store that cannot be reached, or not in time. What was being written may or may not have been: whoever
 * catches this refuses the call and leaves the rest to recovery.
 */
export class AuditStoreUnavailable extends Error {
  override readonly name = 'AuditStoreUnavailable'
}

export interface Journal {
  /** The events that hold these identities now: succeeded, running or unknown, within their windows. */
  findTwins(
    identities: readonly Identity[],
  ): Promise<readonly { readonly identity: Identity; readonly digest: string; readonly event_id: EventId }[]>
  /** Rows that stand alone: denials, replays, alerts, key changes. */
  append(events: readonly AuditEvent[]): Promise<void>
  commitIntent(intent: IntentRecord, events: readonly AuditEvent[]): Promise<IntentCommit>
  /** False when a final outcome was already there: nothing was written, and the first one stands. */
  commitOutcome(outcome: OutcomeRecord, events: readonly AuditEvent[]): Promise<boolean>
  call(event: EventId): Promise<CallRecord | null>

  /**
   * Calls without a final outcome that are nobody's any more, oldest first: their gateway has been silent for `silent_ms`,
   * or their outcome is unknown and it is time to ask again (after 2, 4, 8 … s, at last once a day).
   */
  orphans(silent_ms: number, limit: number): Promise<readonly CallRecord[]>
  /** Says that this gateway lives. */
  heartbeat(gateway: string): Promise<void>
  /** True where no intent exists for this event and from now on none can: its reservation may be released. */
  void(event: EventId, organisation: string): Promise<boolean>
  /** What the ledger settled for an event; null while its reservation is open or where it has none. */
  settled(event: EventId): Promise<readonly Held[] | null>

  /** The organisations that have a ledger. */
  organisations(): Promise<readonly string[]>
  /** Raises the organisation's generation: every intent admitted under an older one is refused from here on. */
  raiseGeneration(organisation: string): Promise<number>
  /** The ledger's fold and all open reservations, from one snapshot. */
  fold(organisation: string): Promise<{
    readonly states: readonly (CounterState & { readonly ends_at?: string })[]
    readonly open: readonly OpenReservation[]
  }>

  /** Oldest first; pages by `cursor`. */
  query(query: AuditQuery): Promise<readonly AuditEvent[]>
  ping(): Promise<void>
  close(): Promise<void>
}
