/** One HTTP exchange with the gateway. It never repeats, never follows a redirect, and never throws what can be returned. */
import type { Settings } from './settings.ts'
import type { Json, JsonObject } from './types.ts'

export interface Request {
  readonly method: 'GET' | 'POST'
  /** Below the base URL, starting with one slash. */
  readonly path: string
  readonly body?: JsonObject
}

export interface Answer {
  readonly status: number
  /** Undefined where it is not JSON. */
  readonly body: Json | undefined
  readonly retryAfterMs?: number
}

export type Exchange =
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** No whole answer came back. `sent` is false only where the gateway surely saw nothing. */
  | { readonly kind: 'lost'; readonly sent: boolean; readonly cause: unknown }

/** Rejects only with the caller's own `signal.reason`. */
export async function exchange(
  settings: Settings,
  request: Request,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Exchange> {
  signal?.throwIfAborted()
  const timeout = AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs)))
  try {
    const response = await settings.fetch(settings.baseUrl + request.path, {
      method: request.method,
      headers: {
        accept: 'application/json, application/problem+json',
        authorization: `Bearer ${settings.vaultKey}`,
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      // A redirect would carry the vault key, and the call, to a place that nobody chose.
      redirect: 'manual',
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    })
    const body = parse(await response.text())
    const retryAfterMs = retryAfter(response.headers.get('retry-after'), Date.now())
    return {
      kind: 'answered',
      answer: { status: response.status, body, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
    }
  } catch (cause) {
    signal?.throwIfAborted()
    return { kind: 'lost', sent: !neverConnected(cause), cause }
  }
}

/** `Retry-After` in seconds or as an HTTP date, in milliseconds from `now`. */
export function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined
  if (/^\d+$/.test(header)) return Number(header) * 1000
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}

/** Failures that come before the first byte. Where a runtime does not say, the request counts as sent. */
const BEFORE_CONNECTION = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'])

function neverConnected(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && BEFORE_CONNECTION.has(String((cause as Error & { code?: unknown }).code))
}

function parse(body: string): Json | undefined {
  try {
    return JSON.parse(body) as Json
  } catch {
    return undefined
  }
}
