/** A real HTTP server that plays one side of a script and remembers what it was asked. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import { Countersign, type CountersignOptions } from '../../sdk/typescript/src/index.ts'

export interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: Record<string, unknown>
}

export type Line =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> }
  /** The request is read whole, and the connection is cut. */
  | 'cut'
  /** The request is read whole, and no answer ever comes. */
  | 'silence'

/** Lines per route (`POST /v1/…`, without its query), said in order; the last one is said for ever. */
export type Script = Readonly<Record<string, readonly Line[]>>

export const EVENT = '019aa1b2-0000-7000-8000-000000000001'
export const REFUND = 'POST /v1/providers/stripe/operations/create_refund'
export const CALL = `GET /v1/calls/${EVENT}`
export const OPERATIONS = 'GET /v1/operations'

export const allowed = (data: unknown = { id: 're_1' }): Line => ({
  status: 200,
  body: {
    event_id: EVENT,
    decision: 'allow',
    replayed: false,
    status: 200,
    data,
    cost: { amount: 500, currency: 'usd' },
  },
})

export const problem = (status: number, code: string, more: object = {}): Line => ({
  status,
  headers: { 'content-type': 'application/problem+json' },
  body: {
    type: 'about:blank',
    title: code,
    status,
    code,
    detail: `It is ${code}.`,
    fix: 'Mend it.',
    event_id: EVENT,
    ...more,
  },
})

export const askingToWait = (seconds: number): Line => ({
  status: 503,
  headers: { 'retry-after': String(seconds) },
  body: { code: 'draining', status: 503, detail: 'The gateway is shutting down.' },
})

export async function scriptedGateway(script: Script) {
  const asked: Asked[] = []
  const said = new Map<string, number>()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const url = request.url ?? ''
    const route = `${request.method} ${url.split('?')[0]}`
    asked.push({ method: request.method ?? '', url, headers: request.headers, body: text ? JSON.parse(text) : {} })

    const lines = script[route] ?? [problem(404, 'not_found')]
    const turn = said.get(route) ?? 0
    said.set(route, turn + 1)
    const line = lines[Math.min(turn, lines.length - 1)]!
    if (line === 'cut') return request.socket.destroy()
    if (line === 'silence') return
    const body = typeof line.body === 'string' ? line.body : JSON.stringify(line.body ?? {})
    response.writeHead(line.status, { 'content-type': 'application/json', ...line.headers }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  onTestFinished(close)
  const agentWith = (options: CountersignOptions = {}) =>
    new Countersign({ baseUrl, vaultKey: 'cs_test', run: 'conv-42', ...options })
  const times = (route: string) => asked.filter(({ method, url }) => `${method} ${url.split('?')[0]}` === route).length
  return { asked, baseUrl, close, agentWith, agent: agentWith(), times }
}

/** What was thrown; fails where nothing was. */
export async function thrownBy(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
