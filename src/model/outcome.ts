/** How a forwarded call ended. */
import type { Json } from './operation.ts'

export const OUTCOMES = ['succeeded', 'failed', 'unknown'] as const
export type OutcomeKind = (typeof OUTCOMES)[number]

/** The provider's answer, as it is recorded and replayed. */
export interface Answer {
  readonly status: number
  readonly body: Json
  /** Lower-case names; only those that the provider's SDK reads. */
  readonly headers: Readonly<Record<string, string>>
}

export interface Outcome {
  readonly kind: OutcomeKind
  /** Absent where nothing came back. */
  readonly answer?: Answer
  /** Why, in words: `connection refused before anything was sent`. */
  readonly detail: string
  readonly upstream_request_id?: string
  /** Requests sent under the one key, the first included. */
  readonly attempts: number
  readonly latency_ms: number
}
