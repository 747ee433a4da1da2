/** What a door hands to the story, and what the story hands back. */
import type { Decision } from './decision.ts'
import type { EventId } from './id.ts'
import type { Money } from './money.ts'
import type { Operation } from './operation.ts'
import type { Answer } from './outcome.ts'
import type { Refusal } from './refusal.ts'

/** Bytes and names only: nothing in it has been believed yet. */
export interface CallRequest {
  /** The bearer token; null where none was sent. */
  readonly credential: string | null
  readonly provider: string
  readonly target: NamedTarget | RouteTarget
  readonly call_id?: string
  /** From 1; a wanted twin is 2. */
  readonly occurrence?: number
  readonly run?: string
  readonly turn?: number
  readonly correlation_id?: string
  readonly dry_run?: boolean
}

export interface NamedTarget {
  readonly operation: string
  /** The door's strictly parsed tree; a refusal where it could not be parsed. */
  readonly params: unknown
}

/** The provider's own route, raw: nothing has been decoded or smoothed over. */
export interface RouteTarget {
  readonly method: string
  readonly path: string
  /** Without its question mark. */
  readonly query: string
  readonly content_type: string | null
  readonly body: Buffer | Refusal
}

export type Reply = Answered | Refused | Judged

/** The provider's answer, a 4xx of its own included; `replayed` where it is the record's. */
export interface Answered {
  readonly kind: 'answered'
  readonly event_id: EventId
  readonly replayed: boolean
  readonly operation: Operation
  readonly answer: Answer
  readonly cost?: Money
}

export interface Refused {
  readonly kind: 'refused'
  readonly event_id: EventId
  readonly refusal: Refusal
  /** Absent where the call was refused before it was known. */
  readonly operation?: Operation
}

/** A dry run's answer: nothing was reserved or sent. */
export interface Judged {
  readonly kind: 'judged'
  readonly event_id: EventId
  readonly operation: Operation
  readonly decision: Decision
  readonly cost?: Money
}
