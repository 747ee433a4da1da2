/** What listens: reads each request whole, writes it into the ledger, and has it answered or misbehaved to. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { send } from './answer.ts'
import { authenticator } from './authenticate.ts'
import { control } from './control.ts'
import { type Arrived, begin } from './endpoint.ts'
import { newId } from './id.ts'
import { misbehave } from './misdeeds.ts'
import type { Sandbox } from './sandbox.ts'

const CONTROL = '/_sandbox/'
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
    stripe_version: header(headers['stripe-version']),
    stripe_account: header(headers['stripe-account']),
    idempotency_key,
    request_id,
    refusal: credential.refusal,
    seen,
  }
}

const header = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value)
