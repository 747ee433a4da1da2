/** An exchange, and the answer to it as it goes over the wire: Stripe's headers and the body. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer, Arrived } from './endpoint.ts'
import type { Sandbox } from './sandbox.ts'

const API_VERSION = '2026-10-28.endive'

export interface Exchange {
  readonly sandbox: Sandbox
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly arrived: Arrived
}

function headersOf({ arrived }: Exchange, answer: Answer): string[] {
  const headers = [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(Buffer.byteLength(answer.body)),
    'Request-Id',
    arrived.request_id,
    'Stripe-Version',
    arrived.stripe_version ?? API_VERSION,
  ]
  if (arrived.idempotency_key !== undefined) headers.push('Idempotency-Key', arrived.idempotency_key)
  if (answer.original_request !== undefined) headers.push('Original-Request', answer.original_request)
  if (answer.replayed) headers.push('Idempotent-Replayed', 'true')
  if (answer.status === 401) headers.push('WWW-Authenticate', 'Basic realm="Stripe"')
  return headers
}

/** A saved failure would only be replayed; a key in flight is free again soon. */
const ADVICE: Readonly<Record<number, readonly string[]>> = {
  402: ['Stripe-Should-Retry', 'false'],
  409: ['Stripe-Should-Retry', 'true'],
  500: ['Stripe-Should-Retry', 'false'],
}

/** `advice`: header names and values in turn; by default Stripe's own for this status. */
export function send(exchange: Exchange, answer: Answer, advice = ADVICE[answer.status] ?? []): void {
  open(exchange, answer, advice).end(answer.body)
}

/** Writes status and headers only, for a body that comes in its own way. */
export function open(exchange: Exchange, answer: Answer, advice: readonly string[] = []): ServerResponse {
  exchange.arrived.seen.status = answer.status
  return exchange.response.writeHead(answer.status, [...headersOf(exchange, answer), ...advice])
}
