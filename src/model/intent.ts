/** A call that is written down and may therefore leave. `forward` accepts nothing else, and only the audit room makes one. */
import type { EventId } from './id.ts'
import type { Operation } from './operation.ts'

/** The one form in which a call goes on the wire: re-encoded from the tree that policy saw, stored, and sent byte for byte. */
export interface WireRequest {
  readonly method: string
  /** Origin-form with its query, starting with one slash. */
  readonly path: string
  readonly content_type?: string
  readonly body?: string
}

declare const committed: unique symbol
export interface Intent {
  readonly [committed]: true
  readonly event_id: EventId
  readonly organisation: string
  readonly operation: Operation
  readonly request: WireRequest
}
