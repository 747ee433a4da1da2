/** A refusal as an RFC 9457 problem document. */
import { defined } from '../model/defined.ts'
import { Fault } from '../model/fault.ts'
import type { EventId } from '../model/id.ts'
import { REFUSALS, type Refusal, refuse } from '../model/refusal.ts'

/** What a caller may wait before it sends the same call again, in seconds. */
const RETRY_AFTER_S = 1

export function problemOf(refusal: Refusal, event_id?: EventId): object {
  const { status, title, fix, retryable } = REFUSALS[refusal.code]
  return {
    type: `/docs/errors#${refusal.code}`,
    title,
    status,
    code: refusal.code,
    detail: refusal.detail,
    fix: refusal.fix ?? fix,
    retryable,
    ...defined({ event_id }),
    reasons: refusal.reasons ?? [],
  }
}

export function problem(refusal: Refusal, event_id?: EventId): Response {
  const { status, retryable } = REFUSALS[refusal.code]
  return new Response(JSON.stringify(problemOf(refusal, event_id)), {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'countersign-decision': 'deny',
      ...(event_id && { 'countersign-event-id': event_id }),
      ...(retryable && status === 503 && { 'retry-after': String(RETRY_AFTER_S) }),
      ...(isUnfinished(refusal) && { connection: 'close' }),
    },
  })
}

/** The rest of the request may still come, and nobody reads it. */
export const isUnfinished = ({ code }: Refusal): boolean => code === 'request_timeout' || code === 'request_too_large'

/** What a fault outside the story may tell: which part failed. */
export function faultRefusal(fault: unknown): Refusal {
  const code = fault instanceof Fault ? fault.code : 'internal_fault'
  return refuse(code, `${REFUSALS[code].title}.`)
}
