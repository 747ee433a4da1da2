/**
 * A refusal in the provider's own error shape, so that its SDK raises its own class. Never with a status that the SDK
 * sends again by itself, unless the same call may pass in a moment.
 */
import type { EventId } from '../model/id.ts'
import { REFUSALS, type Refusal, type RefusalCode } from '../model/refusal.ts'
import { isUnfinished } from './problem.ts'

type Shape = (refusal: Refusal, event_id: EventId) => Response

/** Stripe's SDKs retry 409 and 5xx by themselves, and ask `Stripe-Should-Retry` first. */
const stripe: Shape = (refusal, event_id) => {
  const { fix, status: own, retryable } = REFUSALS[refusal.code]
  const status = own === 409 ? 400 : own
  const again = retryable && own === 503
  const error = {
    type: STRIPE_TYPES[refusal.code] ?? (status >= 500 ? 'api_error' : 'invalid_request_error'),
    code: refusal.code,
    message: `${REFUSALS[refusal.code].title}: ${refusal.detail} ${refusal.fix ?? fix}`,
    event_id,
    reasons: refusal.reasons ?? [],
  }
  return new Response(JSON.stringify({ error }), {
    status,
    headers: {
      'content-type': 'application/json',
      'request-id': event_id,
      'stripe-should-retry': String(again),
      'countersign-event-id': event_id,
      'countersign-decision': 'deny',
      ...(again && { 'retry-after': '1' }),
      ...(isUnfinished(refusal) && { connection: 'close' }),
    },
  })
}

const STRIPE_TYPES: Partial<Record<RefusalCode, string>> = {
  call_id_conflict: 'idempotency_error',
  duplicate_call: 'idempotency_error',
  call_in_flight: 'idempotency_error',
}

const SHAPES: Readonly<Record<string, Shape>> = { stripe }

/** Undefined for a provider whose errors have no shape here. */
export const providerError = (provider: string): Shape | undefined => SHAPES[provider]
