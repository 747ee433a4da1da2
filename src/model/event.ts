/** One immutable audit row. Every step of a call, and every change of who may do what, is one. */
import type { SpendFact, Verdict } from './decision.ts'
import type { EventId } from './id.ts'
import type { JsonObject } from './operation.ts'

export const EVENT_KINDS = [
  'decision',
  'outcome',
  'replay',
  'alert',
  'key_created',
  'key_revoked',
  'credential_stored',
  'policy_changed',
] as const
export type EventKind = (typeof EVENT_KINDS)[number]

/** Field names are those of the JSONL export. */
export interface AuditEvent {
  /** UUIDv7 of the row itself. */
  readonly id: string
  /** The call that it belongs to; rows of one call share it. */
  readonly event_id: EventId
  readonly kind: EventKind
  /** RFC 3339, UTC, milliseconds. */
  readonly ts: string
  readonly organisation: string
  readonly project?: string
  readonly agent?: string
  readonly role?: string
  readonly run?: string
  readonly turn?: number
  readonly correlation_id?: string
  readonly call_id?: string
  readonly occurrence?: number
  readonly key_id?: string
  readonly provider?: string
  readonly operation?: string
  readonly action?: string
  readonly resource?: string
  readonly decision?: Verdict
  /** A refusal's or reason's code, then what it says. */
  readonly reason?: string
  readonly reasons?: readonly object[]
  readonly http_status?: number
  readonly grant_id?: string
  readonly approved_by?: string
  readonly expires?: string
  /** Redacted by the catalogue. */
  readonly params?: JsonObject
  readonly customer?: string
  /** Of a decision: the counters as policy saw them. Absent where the call draws on no budget. */
  readonly spend?: readonly SpendFact[]
  /** Minor units. */
  readonly cost?: number
  readonly currency?: string
  readonly policy_revision?: string
  readonly outcome?: string
  readonly upstream_request_id?: string
  readonly latency_ms?: number
  readonly tags?: Readonly<Record<string, string>>
}

export interface AuditQuery {
  readonly kind?: string
  readonly run?: string
  readonly agent?: string
  readonly project?: string
  readonly key?: string
  readonly provider?: string
  readonly operation?: string
  readonly decision?: string
  readonly event_id?: string
  readonly correlation_id?: string
  readonly since?: string
  readonly until?: string
  readonly limit?: number
  /** Opaque: the last row's id of the page before. */
  readonly cursor?: string
}
