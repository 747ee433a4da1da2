/** What an upstream is made from, and the limits that it keeps. */
import type { ProviderRules } from './outcome-table.ts'
import type { RetryLimits } from './retry.ts'

export interface UpstreamOptions {
  /** `https://api.stripe.com`; plain http on loopback only. */
  readonly origin: string
  readonly rules: ProviderRules
  /** Sent with every request, as `stripe-version`. Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** The provider's secret for this organisation, asked for once a send; null where the gateway holds none. */
  readonly credential: (organisation: string) => Promise<string | null>
  readonly log: Log
  readonly limits?: Partial<UpstreamLimits>
  readonly time?: Time
}

/** Milliseconds and bytes. */
export interface UpstreamLimits {
  readonly connect_ms: number
  /** One attempt: from asking for a connection to the last byte of the answer. */
  readonly attempt_ms: number
  /** A further attempt begins within this time of the first, and then has `attempt_ms` in full: cut short, it would only add doubt. */
  readonly retry_for_ms: number
  /** One try of a look-up. */
  readonly read_ms: number
  /** An idle connection is kept for this long, or for less where the provider says so. */
  readonly keep_alive_ms: number
  readonly response_bytes_max: number
  /** Connections to the origin, each with one request at a time; further calls wait for one. */
  readonly connections: number
  readonly retries: RetryLimits
}

/** A send ends within 80 s, which is what Stripe's own SDK gives a request. */
export const UPSTREAM_LIMITS: UpstreamLimits = {
  connect_ms: 10_000,
  attempt_ms: 40_000,
  retry_for_ms: 40_000,
  read_ms: 10_000,
  keep_alive_ms: 30_000,
  response_bytes_max: 8 * 1024 * 1024,
  connections: 64,
  retries: { count: 4, delay_ms: 500, delay_ms_max: 8_000, retry_after_ms_max: 60_000 },
}

/** Time and chance. */
export interface Time {
  /** Milliseconds since 1970; must not run backwards. */
  now(): number
  /** Rejects when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** From 0 to below 1. */
  random(): number
}

export interface Log {
  warn(fields: object, message: string): void
}
