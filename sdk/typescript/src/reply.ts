/** What the gateway said, as a value: a result or an error. Pure. */
import {
  type CountersignError,
  DeniedError,
  errorOf,
  HeldError,
  ProviderError,
  reasonsOf,
  UnavailableError,
} from './errors.ts'
import { integer, isObject, present, text } from './json.ts'
import type { Answer } from './transport.ts'
import type { CallRecord, CallResult, CallState, Cost, Decision, Json, JsonObject, Operation } from './types.ts'

export type Reply = CallResult | CountersignError

/** The answer to `POST /v1/providers/{provider}/operations/{operation}`. */
export function replyOf({ status, body }: Answer, callId: string): Reply {
  if (!isObject(body)) return errorOf(status, body, callId)
  if (status === 202) return heldOf(body, callId)
  // Only a provider's own error comes with an allow; it keeps the provider's status, so the status alone says nothing.
  if (body.decision === 'allow' && body.error !== undefined) return providerErrorOf(body, status, callId)
  const eventId = text(body.event_id)
  const decision = decisionOf(body.decision)
  if (status !== 200 || eventId === undefined || decision === undefined) return errorOf(status, body, callId)
  return {
    data: body.data ?? null,
    eventId,
    replayed: body.replayed === true,
    decision,
    status: integer(body.status) ?? status,
    ...present({ cost: costOf(body.cost) }),
  }
}

/** The answer to `GET /v1/calls/{event_id}`. */
export function recordOf({ status, body }: Answer): CallRecord | CountersignError {
  const eventId = isObject(body) ? text(body.event_id) : undefined
  const state = isObject(body) ? text(body.state) : undefined
  if (status !== 200 || !isObject(body) || eventId === undefined || state === undefined) return errorOf(status, body)
  return {
    eventId,
    state: state as CallState,
    ...present({
      decision: decisionOf(body.decision),
      provider: text(body.provider),
      operation: text(body.operation),
      status: integer(body.status),
      data: body.data,
      error: body.error,
      cost: costOf(body.cost),
      reason: text(body.reason),
      reasons: body.reasons === undefined ? undefined : reasonsOf(body.reasons),
      at: text(body.at),
    }),
  }
}

/** The answer to `GET /v1/operations`. */
export function operationsOf({ status, body }: Answer): readonly Operation[] | CountersignError {
  const list = isObject(body) ? body.operations : undefined
  if (status !== 200 || !Array.isArray(list)) return errorOf(status, body)
  return list as readonly Json[] as unknown as readonly Operation[]
}

/**
 * What a finished record means for the call that waited on it. Undefined: not finished. `again`: finished or approved,
 * and the same call id fetches the answer.
 */
export function replyOfRecord(record: CallRecord, callId: string): Reply | 'again' | undefined {
  const { eventId } = record
  switch (record.state) {
    case 'succeeded':
      if (record.data === undefined) return 'again'
      return {
        data: record.data,
        eventId,
        replayed: true,
        decision: record.decision ?? 'allow',
        status: record.status ?? 200,
        ...present({ cost: record.cost }),
      }
    case 'failed':
      if (record.error !== undefined)
        return providerErrorOf({ event_id: eventId, error: record.error }, record.status ?? 502, callId)
      return new UnavailableError({
        code: 'upstream_failed',
        detail: `The call ${eventId} failed, surely without effect.`,
        fix: 'Send it again when the provider can be reached.',
        eventId,
        callId,
        retryable: true,
      })
    case 'denied':
      return new DeniedError({
        code: 'policy_denied',
        detail: `The call ${eventId} was denied${record.reason === undefined ? '.' : `: ${record.reason}`}`,
        fix: 'Ask whoever decides on approvals why.',
        reasons: record.reasons,
        eventId,
        callId,
      })
    case 'approved':
      return 'again'
    default:
      return undefined
  }
}

function heldOf(body: JsonObject, callId: string): HeldError {
  const approvalId = text(body.approval_id)
  return new HeldError({
    code: 'held',
    status: 202,
    detail: `A human must approve this very call${approvalId === undefined ? '' : ` (${approvalId})`}.`,
    fix: 'Wait for it with waitMs, or make the same call with the same call id once it is approved.',
    eventId: text(body.event_id),
    callId,
    approvalId,
    expiresAt: text(body.expires_at),
    retryable: true,
  })
}

function providerErrorOf(body: JsonObject, status: number, callId: string): ProviderError {
  const error = body.error ?? null
  const providerStatus = integer(body.status) ?? status
  return new ProviderError({
    code: 'provider_error',
    status: providerStatus,
    detail: `The provider answered ${providerStatus}: ${messageOf(error) ?? 'see the body'}`,
    eventId: text(body.event_id),
    callId,
    body: error,
  })
}

/** Providers put their message at the top or one level down. */
function messageOf(error: Json): string | undefined {
  if (!isObject(error)) return text(error)
  return text(error.message) ?? (isObject(error.error) ? text(error.error.message) : text(error.error))
}

const decisionOf = (value: Json | undefined): Decision | undefined =>
  value === 'allow' || value === 'deny' || value === 'hold' ? value : undefined

function costOf(value: Json | undefined): Cost | undefined {
  if (!isObject(value)) return undefined
  const amount = integer(value.amount)
  const currency = text(value.currency)
  return amount === undefined || currency === undefined ? undefined : { amount, currency }
}
