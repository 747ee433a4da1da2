/** When the same request is sent again: only what is safe to repeat, and always under the same call id. */
import { CountersignError, codeOfStatus, UnavailableError, UnknownOutcomeError } from './errors.ts'
import type { Answer, Exchange } from './transport.ts'

/** Refusals that come before any effect, or that the call id joins to the one effect. */
const REPEATABLE = new Set([
  'policy_unavailable',
  'audit_unavailable',
  'counters_unavailable',
  'counters_rehydrating',
  'draining',
  'call_in_flight',
  'upstream_failed',
  // The SDK's own: nothing came back. The gateway answers the same call id from its record.
  'unreachable',
  'no_answer',
  // A proxy's own page instead of the gateway's answer.
  codeOfStatus(502),
  codeOfStatus(503),
  codeOfStatus(504),
])

export const mayRepeat = (error: CountersignError): boolean =>
  REPEATABLE.has(error.code) || (error.status === 503 && error.retryable)

/** Doubles from 250 ms up to 8 s; half of it is chance, so that many agents do not return at once. */
export function backoffMs(attempt: number, chance: number): number {
  const most = Math.min(8_000, 250 * 2 ** attempt)
  return most / 2 + (most / 2) * chance
}

/** How long to wait before the next attempt; undefined: give up. What the gateway asked for is a floor. */
export function nextDelayMs(state: {
  readonly error: CountersignError
  /** Attempts made again so far. */
  readonly retries: number
  readonly maxRetries: number
  readonly retryAfterMs?: number | undefined
  /** Until the deadline. */
  readonly remainingMs: number
  /** In [0, 1). */
  readonly chance: number
}): number | undefined {
  if (!mayRepeat(state.error) || state.retries >= state.maxRetries) return undefined
  const delay = Math.max(state.retryAfterMs ?? 0, backoffMs(state.retries, state.chance))
  return delay < state.remainingMs ? delay : undefined
}

/** Sends until there is an answer that stands, or until repeating is unsafe or out of time. */
export async function repeat<Value extends object>(options: {
  readonly send: (timeoutMs: number) => Promise<Exchange>
  readonly read: (answer: Answer) => Value | CountersignError
  readonly timeoutMs: number
  readonly maxRetries: number
  /** Given for a call, which may have an effect; absent for a read. */
  readonly callId?: string | undefined
  readonly signal?: AbortSignal | undefined
}): Promise<Value | CountersignError> {
  const deadline = performance.now() + options.timeoutMs
  let mayHaveActed = false
  for (let retries = 0; ; retries++) {
    const exchanged = await options.send(deadline - performance.now())
    const lost = exchanged.kind === 'lost'
    const value = lost ? lostError(exchanged, options.callId) : options.read(exchanged.answer)
    if (!(value instanceof CountersignError)) return value

    mayHaveActed ||= lost && exchanged.sent && options.callId !== undefined
    const delay = nextDelayMs({
      error: value,
      retries,
      maxRetries: options.maxRetries,
      retryAfterMs: lost ? undefined : exchanged.answer.retryAfterMs,
      remainingMs: deadline - performance.now(),
      chance: Math.random(),
    })
    if (delay === undefined) return mayHaveActed ? doubted(value) : value
    await sleep(delay, options.signal)
  }
}

/** Resolves after `ms`; rejects with the signal's reason. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

function lostError(lost: Exchange & { kind: 'lost' }, callId: string | undefined): CountersignError {
  const why = whyLost(lost.cause)
  if (!lost.sent || callId === undefined) {
    return new UnavailableError({
      code: lost.sent ? 'no_answer' : 'unreachable',
      detail: `The gateway ${lost.sent ? 'did not answer' : 'cannot be reached'} (${why}).`,
      fix: 'Check baseUrl, and that `countersign serve` runs there: GET /readyz answers 200.',
      callId,
      retryable: true,
      cause: lost.cause,
    })
  }
  return new UnknownOutcomeError({
    code: 'no_answer',
    detail: `The gateway did not answer (${why}), so whether the call was made is not known.`,
    fix: `Do not send it as a new call: repeat it with callId '${callId}', which can never act twice.`,
    callId,
    retryable: true,
    cause: lost.cause,
  })
}

/** After a lost answer, "unavailable" no longer means "without effect". */
function doubted(error: CountersignError): CountersignError {
  if (!(error instanceof UnavailableError)) return error
  return new UnknownOutcomeError({
    code: 'no_answer',
    detail: `An earlier attempt got no answer, and then: ${error.detail}`,
    fix: `Do not send it as a new call: repeat it with callId '${error.callId}', which can never act twice.`,
    callId: error.callId,
    eventId: error.eventId,
    status: error.status,
    retryable: true,
    cause: error,
  })
}

/** Fetch hides the system's reason in the cause. */
function whyLost(cause: unknown): string {
  if (!(cause instanceof Error)) return 'no reason given'
  if (cause.name === 'TimeoutError') return 'timed out'
  const inner = cause.cause instanceof Error ? cause.cause : cause
  return String((inner as Error & { code?: unknown }).code ?? inner.message)
}
