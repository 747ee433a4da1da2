/** One request on the wire, once. What it promises: it knows whether a byte may have left. */
import type { Dispatcher } from 'undici'
import type { Headers } from './answer.ts'

export interface Request {
  readonly method: string
  /** Origin-form. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | null
}

interface AttemptLimits {
  /** For all of it: waiting for a connection, sending, the whole answer. Milliseconds. */
  readonly time_ms: number
  /** Of the answer's body. */
  readonly bytes: number
}

export type Attempt =
  /** Surely no byte of the request left. */
  | { readonly sent: false; readonly why: string }
  /** Bytes may have left. */
  | {
      readonly sent: true
      /** Absent where no status line came. */
      readonly status?: number
      readonly headers?: Headers
      /** Absent where it did not come whole; `why` then says so. */
      readonly body?: string
      readonly too_large?: true
      readonly why?: string
    }

/**
 * Never rejects. The line between sent and not sent is undici's `onRequestStart`: it runs in the tick in which the
 * request is written to an established (and, for https, authenticated) connection, and an abort inside it still stops
 * the write. With pipelining 1 undici itself never sends a request twice.
 */
export function attempt(
  pool: Dispatcher,
  request: Request,
  limits: AttemptLimits,
  signal: AbortSignal | undefined,
): Promise<Attempt> {
  return new Promise((resolve) => {
    let controller: Dispatcher.DispatchController | undefined
    let over = false
    let status: number | undefined
    let headers: Headers | undefined
    let size = 0
    const chunks: Buffer[] = []

    const end = (result: Attempt): void => {
      if (over) return
      over = true
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
      resolve(result)
    }
    const broken = (why: string, too_large?: true): void => {
      end(
        controller === undefined
          ? { sent: false, why }
          : {
              sent: true,
              why,
              ...(status !== undefined && headers !== undefined && { status, headers }),
              ...(too_large && { too_large }),
            },
      )
      controller?.abort(new Error(why))
    }
    const stop = (): void => broken('the gateway stopped waiting')
    const timer = setTimeout(() => broken(`no whole answer within ${limits.time_ms} ms`), limits.time_ms)
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) return stop()

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(given) {
        // Timed out while it waited for a connection: undici cannot take it out of its queue, so it is stopped here.
        if (over) given.abort(new Error('over'))
        else controller = given
      },
      onResponseStart(_, statusCode, given) {
        if (statusCode < 200) return
        status = statusCode
        headers = given
      },
      onResponseData(_, chunk) {
        size += chunk.length
        if (size > limits.bytes) broken(`its body is larger than ${limits.bytes} bytes`, true)
        else chunks.push(chunk)
      },
      onResponseEnd() {
        if (status === undefined || headers === undefined) return broken('no answer')
        end({ sent: true, status, headers, body: Buffer.concat(chunks, size).toString() })
      },
      onResponseError(_, error) {
        broken(words((error as { code?: unknown }).code))
      },
    }
    const { method, path, headers: sent, body } = request
    pool.dispatch({ method, path, headers: sent, body }, handler)
  })
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed by the provider',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name not resolved',
  ETIMEDOUT: 'connection timed out',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  UND_ERR_CONNECT_TIMEOUT: 'connection not made in time',
  UND_ERR_SOCKET: 'connection closed by the provider',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'answer cut short',
  UND_ERR_HEADERS_OVERFLOW: 'answer headers too large',
}

/** Only for people: no decision rests on these words. Never the error's own message, which may quote what was sent. */
const words = (code: unknown): string =>
  typeof code === 'string' ? (WORDS[code] ?? `connection failed (${code})`) : 'connection failed'
