/** The socket's side: reads requests, sends answers, and does what a rule of misbehaviour says in between. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { authenticator } from './authenticate.ts'
import { control } from './control.ts'
import { type Answer, type Arrived, type Begun, begin } from './endpoint.ts'
import { newId } from './id.ts'
import type { Rule } from './misbehave.ts'
import type { Sandbox } from './sandbox.ts'

const CONTROL = '/_sandbox/'
const API_VERSION = '2026-10-28.endive'
const BODY_BYTES_MAX = 8 * 1024 * 1024

export function listener(sandbox: Sandbox, secretKey?: string): RequestListener {
  const authenticate = authenticator(secretKey)
  return (request, response) => {
    withBody(request, response, (body) => {
      const url = request.url!
      if (url.startsWith(CONTROL)) return control(sandbox, request, response, body)
      const arrived = arrive(sandbox, authenticate, request, body)
      const rule = sandbox.misbehaviour.take(arrived.method, arrived.path)
      const exchange = { sandbox, request, response, arrived }
      if (rule === undefined) return send(exchange, begin(sandbox, arrived).finish())
      arrived.seen.misbehaved = rule.do
      void misbehave(exchange, rule, begin(sandbox, arrived))
    })
  }
}

interface Exchange {
  readonly sandbox: Sandbox
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly arrived: Arrived
}

function withBody(request: IncomingMessage, response: ServerResponse, then: (body: string) => void): void {
  const { headers } = request
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) {
    request.resume()
    then('')
    return
  }
  const chunks: Buffer[] = []
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk)
    else if (!response.headersSent) response.writeHead(413, { Connection: 'close' }).end(() => request.destroy())
  })
  request.on('end', () => {
    if (bytes <= BODY_BYTES_MAX) then(chunks.length === 1 ? chunks[0]!.toString() : Buffer.concat(chunks).toString())
  })
  // A client that goes away in the middle of its body never sent a request.
  request.on('error', () => {})
}

function arrive(
  sandbox: Sandbox,
  authenticate: ReturnType<typeof authenticator>,
  request: IncomingMessage,
  body: string,
): Arrived {
  const { headers, url } = request
  const method = request.method!
  const mark = url!.indexOf('?')
  const credential = authenticate(headers.authorization)
  const request_id = newId('req')
  const idempotency_key = method === 'POST' ? header(headers['idempotency-key']) : undefined
  const seen = sandbox.requests.append({
    at: new Date().toISOString(),
    request_id,
    method,
    path: url!,
    idempotency_key: header(headers['idempotency-key']) ?? null,
    authorization: credential.seen,
    status: null,
    effect: false,
    replayed: false,
    misbehaved: null,
  })
  return {
    method,
    path: mark < 0 ? url! : url!.slice(0, mark),
    query: mark < 0 ? '' : url!.slice(mark + 1),
    body,
    content_type: headers['content-type'],
    stripe_account: header(headers['stripe-account']),
    idempotency_key,
    request_id,
    refusal: credential.refusal,
    seen,
  }
}

const header = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value)

function headersOf({ request, arrived }: Exchange, answer: Answer): string[] {
  const headers = [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(Buffer.byteLength(answer.body)),
    'Request-Id',
    arrived.request_id,
    'Stripe-Version',
    header(request.headers['stripe-version']) ?? API_VERSION,
  ]
  if (arrived.idempotency_key !== undefined) headers.push('Idempotency-Key', arrived.idempotency_key)
  if (answer.original_request !== undefined) headers.push('Original-Request', answer.original_request)
  if (answer.replayed) headers.push('Idempotent-Replayed', 'true')
  if (answer.status === 401) headers.push('WWW-Authenticate', 'Basic realm="Stripe"')
  // A saved failure would only be replayed; a key in flight is free again soon.
  if (answer.status === 402 || answer.status === 500) headers.push('Stripe-Should-Retry', 'false')
  if (answer.status === 409) headers.push('Stripe-Should-Retry', 'true')
  return headers
}

function send(exchange: Exchange, answer: Answer): void {
  exchange.arrived.seen.status = answer.status
  exchange.response.writeHead(answer.status, headersOf(exchange, answer)).end(answer.body)
}

async function misbehave(exchange: Exchange, rule: Rule, begun: Begun): Promise<void> {
  const { sandbox, request, response, arrived } = exchange
  const { epoch } = sandbox
  const socket = request.socket
  /** After a wait: a reset of the sandbox in the meantime ends the request without effect. */
  const outlived = async (ms: number) => {
    await sleep(ms)
    if (sandbox.epoch === epoch) return true
    socket.destroy()
    return false
  }
  switch (rule.do) {
    case 'delay': {
      const early = rule.when === 'after_effect' ? begun.finish() : undefined
      if (await outlived(rule.ms)) send(exchange, early ?? begun.finish())
      return
    }
    case 'reset_before_effect':
      begun.abandon()
      socket.resetAndDestroy()
      return
    case 'reset_after_effect':
      begun.finish()
      socket.resetAndDestroy()
      return
    case 'hang':
      if (rule.when === 'after_effect') begun.finish()
      // Unrun, it holds its idempotency key until the client gives up.
      else response.once('close', () => begun.abandon())
      return
    case 'status':
      sendStatus(exchange, rule, begun)
      return
    case 'redirect':
      begun.abandon()
      arrived.seen.status = 307
      response.writeHead(307, { Location: rule.url, 'Request-Id': arrived.request_id, 'Content-Length': 0 }).end()
      return
    case 'huge_body':
      await sendHuge(exchange, begun.finish(), rule.bytes)
      return
    case 'truncated_body': {
      const answer = begun.finish()
      arrived.seen.status = answer.status
      response.writeHead(answer.status, headersOf(exchange, answer))
      response.write(answer.body.slice(0, answer.body.length / 2), () => socket.destroy())
      return
    }
    case 'invalid_json': {
      const { status } = begun.finish()
      send(exchange, { status, body: '<html><body>Something is in the way of this answer</body></html>' })
      return
    }
    case 'slow_body': {
      const answer = begun.finish()
      arrived.seen.status = answer.status
      response.writeHead(answer.status, headersOf(exchange, answer))
      const bytes = Buffer.from(answer.body)
      const step = Math.max(1, Math.ceil(bytes.length / 20))
      for (let at = 0; at < bytes.length; at += step) {
        if (!(await outlived(rule.ms / 20)) || response.destroyed) return
        response.write(bytes.subarray(at, at + step))
      }
      response.end()
      return
    }
    case 'close_keepalive':
      // Nothing announces it: the client believes that the connection lives.
      response.once('finish', () => socket.end())
      send(exchange, begun.finish())
      return
    default:
      rule.do satisfies never
  }
}

const STATUS_ERRORS = {
  409: {
    type: 'invalid_request_error',
    code: 'lock_timeout',
    message:
      'This object cannot be accessed right now because another API request or Stripe process is currently accessing it.',
  },
  429: {
    type: 'invalid_request_error',
    code: 'rate_limit',
    message: 'Request rate limit exceeded.',
  },
  500: { type: 'api_error', message: 'An unknown error occurred' },
  503: { type: 'api_error', message: 'The service is temporarily unavailable' },
} as const

/**
 * A 500 is the endpoint's own, so an idempotency key remembers it, with effect or without. The others come from in front
 * of it: with effect, a key remembers the answer that was lost; without, nothing.
 */
function sendStatus(exchange: Exchange, rule: Rule, begun: Begun): void {
  const body = JSON.stringify({ error: STATUS_ERRORS[rule.status] })
  const answer: Answer = { status: rule.status, body }
  const ran = rule.when === 'after_effect'
  if (ran) begun.finish()
  if (rule.status === 500) begun.saveInstead(answer)
  else if (!ran) begun.abandon()

  const { response, arrived } = exchange
  const headers = headersOf(exchange, answer).filter((name, index, all) => {
    const of = index % 2 === 0 ? name : all[index - 1]
    return of !== 'Stripe-Should-Retry'
  })
  if (rule.should_retry !== undefined) headers.push('Stripe-Should-Retry', String(rule.should_retry))
  if (rule.retry_after !== undefined) headers.push('Retry-After', String(rule.retry_after))
  arrived.seen.status = rule.status
  response.writeHead(rule.status, headers).end(body)
}

/** Valid JSON still: the padding is white space before it. Written as the client drains it, so that it costs no memory. */
async function sendHuge({ response, arrived }: Exchange, answer: Answer, bytes: number): Promise<void> {
  arrived.seen.status = answer.status
  response.writeHead(answer.status, { 'Content-Type': 'application/json', 'Request-Id': arrived.request_id })
  const padding = Buffer.alloc(64 * 1024, ' ')
  for (let sent = 0; sent < bytes && !response.destroyed; sent += padding.length) {
    if (response.write(padding)) continue
    await new Promise<void>((resume) => {
      const done = () => {
        response.off('drain', done).off('close', done)
        resume()
      }
      response.on('drain', done).on('close', done)
    })
  }
  response.end(answer.body)
}
