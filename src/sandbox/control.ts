/** `/_sandbox/…`: what tests ask and command. Loopback only, whatever the sandbox is bound to. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { StripeError } from './error.ts'
import { readRules } from './misbehave.ts'
import type { Sandbox } from './sandbox.ts'
import { plant, readSeed } from './seed.ts'

/** A string is what was wrong with the request. */
type Command = (sandbox: Sandbox, sent: { readonly since: number; readonly json: unknown }) => object | string

const COMMANDS: Readonly<Record<string, Command>> = {
  /** `?since=N`: only those after that `seq`. */
  'GET /_sandbox/effects': (sandbox, { since }) => sandbox.effects.since(since),
  'GET /_sandbox/requests': (sandbox, { since }) => sandbox.requests.since(since),
  'POST /_sandbox/reset': (sandbox) => {
    sandbox.reset()
    return { reset: true }
  },
  'POST /_sandbox/seed': (sandbox, { json }) => {
    const seed = readSeed(json)
    if (typeof seed === 'string') return seed
    try {
      return { planted: plant(sandbox.platform, seed) }
    } catch (thrown) {
      if (thrown instanceof StripeError) return thrown.message
      throw thrown
    }
  },
  'GET /_sandbox/misbehave': (sandbox) => sandbox.misbehaviour.list(),
  'POST /_sandbox/misbehave': (sandbox, { json }) => {
    const rules = readRules(json)
    if (typeof rules === 'string') return rules
    sandbox.misbehaviour.add(rules)
    return sandbox.misbehaviour.list()
  },
  'DELETE /_sandbox/misbehave': (sandbox) => {
    sandbox.misbehaviour.clear()
    return []
  },
}

export function control(sandbox: Sandbox, request: IncomingMessage, response: ServerResponse, body: string): void {
  const { status, answer } = obey(sandbox, request, body)
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer))
}

function obey(sandbox: Sandbox, request: IncomingMessage, body: string): { status: number; answer: object } {
  const refused = (status: number, error: string) => ({ status, answer: { error } })
  if (!isLoopback(request.socket.remoteAddress)) return refused(403, 'The sandbox takes commands from loopback only.')
  const url = new URL(request.url!, 'http://sandbox')
  const name = `${request.method} ${url.pathname}`
  const command = COMMANDS[name]
  if (command === undefined) {
    return refused(404, `There is no command ${name}. Commands: ${Object.keys(COMMANDS).join(', ')}.`)
  }
  const json = parse(body)
  if (json === MALFORMED) return refused(400, 'The body is not JSON.')
  const since = Number(url.searchParams.get('since') ?? 0)
  const answer = command(sandbox, { since, json })
  return typeof answer === 'string' ? refused(400, answer) : { status: 200, answer }
}

const MALFORMED = Symbol('malformed')

function parse(body: string): unknown {
  if (body === '') return undefined
  try {
    return JSON.parse(body)
  } catch {
    return MALFORMED
  }
}

const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && (address.startsWith('127.') || address.startsWith('::ffff:127.') || address === '::1')
