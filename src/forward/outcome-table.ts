/**
 * The outcome table: what one attempt tells about its effect, and what that makes of the call. Data only; `judge.ts` reads it.
 *
 * An attempt ends in a *finding*. A call may have had earlier attempts whose effect is open (bytes left, no word came
 * back; also in a life of this process before this one): then the finding must speak for those too, or the outcome is
 * `unknown`. Under a key it often does: the provider looks the key up, and would have replayed an effect.
 */
import type { OutcomeKind } from '../model/outcome.ts'

interface FindingRow {
  /** The outcome where no earlier attempt is open. */
  readonly alone: OutcomeKind
  /** The outcome where an earlier attempt is open, and the provider knows both by one idempotency key. */
  readonly keyed: OutcomeKind
  /** The same where there is no key, but a repeat is harmless: DELETE. */
  readonly natural: OutcomeKind
  /** Whether the same bytes under the same key may bring a better answer; the provider's own word comes first. */
  readonly again: boolean
}

export const FINDINGS = {
  /** No byte left: name not resolved, connection refused or not made in time, TLS failed, no credential. */
  not_sent: { alone: 'failed', keyed: 'unknown', natural: 'unknown', again: true },
  /** The provider acted and said so. */
  done: { alone: 'succeeded', keyed: 'succeeded', natural: 'succeeded', again: false },
  /** The provider judged the request and did not act. Had a twin under the key acted, its answer would have come. */
  rejected: { alone: 'failed', keyed: 'failed', natural: 'unknown', again: false },
  /** The object is not there. After an open DELETE that is what was wanted. */
  missing: { alone: 'failed', keyed: 'failed', natural: 'succeeded', again: false },
  /** Stopped at the door, before the key is looked up: this attempt did nothing, of earlier ones it says nothing. */
  turned_away: { alone: 'failed', keyed: 'unknown', natural: 'unknown', again: false },
  /** The same, for now. */
  throttled: { alone: 'failed', keyed: 'unknown', natural: 'unknown', again: true },
  /** It may have acted: bytes left and no whole answer came, or an answer that does not tell. */
  open: { alone: 'unknown', keyed: 'unknown', natural: 'unknown', again: true },
  /** The same, and a repeat would bring the same. */
  stuck: { alone: 'unknown', keyed: 'unknown', natural: 'unknown', again: false },
} as const satisfies Record<string, FindingRow>

export type Finding = keyof typeof FINDINGS

/** First match wins: order is precedence. */
export interface AnswerRow {
  /** One status, or the first and last of a range. */
  readonly status: number | readonly [first: number, last: number]
  /** Only where the answer's `error.type` is this. */
  readonly error_type?: string
  readonly finding: Finding
  /** Why, in words that follow `HTTP <status>: `. */
  readonly because: string
}

export interface ProviderRules {
  readonly answers: readonly AnswerRow[]
  /**
   * For how long after the event began the provider surely remembers its key, milliseconds. Later, a repeat could act a
   * second time and is not sent.
   */
  readonly key_memory_ms: number
  /** Lower case. */
  readonly request_id_header: string
  /** Says `true` or `false`, and comes before the table's own `again`. Lower case. */
  readonly should_retry_header: string
  /** Answer headers that are recorded and replayed: those that the provider's own SDK reads. Lower case. */
  readonly answer_headers: readonly string[]
}

const hours = 3_600_000

/**
 * Stripe. It saves the result of a key once the endpoint began to execute, whatever came of it, and replays it for at
 * least 24 hours; authentication, permission and rate limits come before, and are not saved.
 * Source: docs.stripe.com/api/idempotent_requests, docs.stripe.com/error-low-level.
 */
export const STRIPE: ProviderRules = {
  answers: [
    { status: [200, 299], finding: 'done', because: 'the provider acted' },
    { status: [300, 399], finding: 'turned_away', because: 'a redirect, which is never followed' },
    {
      status: 400,
      error_type: 'idempotency_error',
      finding: 'stuck',
      because: 'the provider holds another request under this key',
    },
    { status: 401, finding: 'turned_away', because: "the provider refused the gateway's credential" },
    { status: 403, finding: 'turned_away', because: "the gateway's credential may not do this at the provider" },
    { status: 404, finding: 'missing', because: 'the provider has no such object' },
    { status: 408, finding: 'open', because: 'the provider gave up waiting for the request' },
    { status: 409, finding: 'open', because: 'another attempt under this key is still running at the provider' },
    { status: 424, finding: 'open', because: 'something that the provider depends on failed' },
    { status: 429, finding: 'throttled', because: 'the provider is limiting requests' },
    { status: [400, 499], finding: 'rejected', because: 'the provider rejected the request' },
    { status: [500, 599], finding: 'open', because: 'the provider failed and may have acted' },
  ],
  // One hour less than promised: clocks differ, and the attempts of one send take time.
  key_memory_ms: 23 * hours,
  request_id_header: 'request-id',
  should_retry_header: 'stripe-should-retry',
  answer_headers: [
    'request-id',
    'original-request',
    'stripe-version',
    'stripe-account',
    'stripe-should-retry',
    'idempotent-replayed',
    'retry-after',
  ],
}
