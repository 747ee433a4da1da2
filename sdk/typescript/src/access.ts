/** A denial, turned into a question to a human. Nothing here grants: it asks, waits, and says how it ended. */
import { CountersignError, codeOfStatus, DeniedError, errorOf } from './errors.ts'
import { isObject, text } from './json.ts'
import { backoffMs, mayRepeat, sleep } from './retry.ts'
import type { Answer, Request } from './transport.ts'
import type { AccessRequestOptions, JsonObject } from './types.ts'

/** Denials that no grant can lift. */
const BEYOND_GRANTS = new Set([
  'spend_cap_exceeded',
  'price_unknown',
  'currency_without_rate',
  'wrong_provider',
  'run_mismatch',
  'approval_required',
  'unknown_operation',
])

export const canBeGranted = (denied: DeniedError): boolean => !BEYOND_GRANTS.has(denied.code)

interface AccessRequest {
  readonly id: string
  readonly state: string
}

/** Sends one request to the gateway and reads the answer. */
export type Ask = <Value extends object>(
  request: Request,
  read: (answer: Answer) => Value | CountersignError,
  limits: { readonly timeoutMs?: number; readonly maxRetries?: number },
) => Promise<Value | CountersignError>

/** Undefined where access was granted; else the denial, with a note that says how the request ended. */
export async function requestAccess(options: {
  readonly denied: DeniedError
  readonly service: string
  readonly action: string
  readonly resource: string | undefined
  readonly wanted: AccessRequestOptions
  readonly ask: Ask
  /** For one answer, on top of what the gateway holds it back. */
  readonly timeoutMs: number
  /** A `performance.now()`. */
  readonly until: number
  readonly signal?: AbortSignal | undefined
}): Promise<DeniedError | undefined> {
  const { denied, ask, until, signal } = options
  const body = {
    service: options.service,
    action: options.action,
    ...(options.resource === undefined ? {} : { resource: options.resource }),
    duration: options.wanted.duration ?? '1h',
    reason: options.wanted.reason ?? denied.detail,
    ...(denied.eventId === undefined ? {} : { event_id: denied.eventId }),
  } satisfies JsonObject
  // Sent once: a repeat could put a second request before the human.
  const made = await ask({ method: 'POST', path: '/v1/access-requests', body }, accessRequestOf, {
    maxRetries: 0,
  })
  if (made instanceof CountersignError) {
    return isUnrouted(made)
      ? noted(denied, 'This gateway takes no access requests.')
      : noted(denied, `Access could not be requested: ${made.detail}`)
  }

  let { state } = made
  for (let polls = 0; ; polls++) {
    if (state === 'granted') return undefined
    if (state === 'refused') return noted(denied, `Access request ${made.id} was refused.`, made.id)
    if (state === 'expired') return noted(denied, `Access request ${made.id} has expired.`, made.id)
    const left = until - performance.now()
    if (left <= 0) return noted(denied, `Access request ${made.id} is waiting for a human.`, made.id)
    // The gateway holds each answer back by itself; the pause is for one that does not.
    if (polls > 0) await sleep(Math.min(left, backoffMs(Math.min(polls, 3), Math.random())), signal)
    const seconds = Math.min(30, Math.max(1, Math.ceil((until - performance.now()) / 1000)))
    const path = `/v1/access-requests/${encodeURIComponent(made.id)}?wait=${seconds}`
    const now = await ask({ method: 'GET', path }, accessRequestOf, { timeoutMs: seconds * 1000 + options.timeoutMs })
    if (!(now instanceof CountersignError)) state = now.state
    else if (!mayRepeat(now))
      return noted(denied, `Access request ${made.id} cannot be followed: ${now.detail}`, made.id)
  }
}

/** A gateway without this route takes the path for the provider's own API, and refuses it in the provider's words. */
const isUnrouted = ({ status, code }: CountersignError): boolean =>
  status === 404 || (status !== undefined && status < 500 && code === codeOfStatus(status))

function accessRequestOf({ status, body }: Answer): AccessRequest | CountersignError {
  const id = isObject(body) ? text(body.id) : undefined
  const state = isObject(body) ? text(body.state) : undefined
  if (status < 200 || status > 299 || id === undefined || state === undefined) return errorOf(status, body)
  return { id, state }
}

/** The same denial, saying more. */
const noted = (denied: DeniedError, note: string, accessRequestId?: string): DeniedError =>
  new DeniedError({
    code: denied.code,
    detail: `${denied.detail} ${note}`,
    fix: denied.fix,
    eventId: denied.eventId,
    callId: denied.callId,
    reasons: denied.reasons,
    status: denied.status,
    retryable: denied.retryable,
    accessRequestId,
  })
