/** When the next attempt may leave. Pure. */

export interface RetryLimits {
  /** Attempts after the first. */
  readonly count: number
  /** Waits are drawn evenly from 0 to this, doubled with each attempt: full jitter. Milliseconds. */
  readonly delay_ms: number
  readonly delay_ms_max: number
  /** The longest `Retry-After` that is waited for; one that asks for more ends the call. Milliseconds. */
  readonly retry_after_ms_max: number
}

/**
 * Milliseconds to wait before the attempt that follows `attempts`; null where there is to be none.
 * A wait that would end at or after the deadline is none.
 */
export function delay(
  limits: RetryLimits,
  attempts: number,
  retryAfter_ms: number,
  left_ms: number,
  random: () => number,
): number | null {
  if (attempts > limits.count || retryAfter_ms > limits.retry_after_ms_max) return null
  const spread = Math.min(limits.delay_ms * 2 ** (attempts - 1), limits.delay_ms_max)
  const wait = Math.max(random() * spread, retryAfter_ms)
  return wait < left_ms ? wait : null
}

/** `Retry-After` in milliseconds: seconds or an HTTP date; 0 for neither. */
export function retryAfter(value: string | undefined, now_ms: number): number {
  if (value === undefined) return 0
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? 0 : Math.max(0, date - now_ms)
}
