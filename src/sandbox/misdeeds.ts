/** How each rule of misbehaviour is done, at the socket. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Exchange, open, send } from './answer.ts'
import type { Answer, Begun } from './endpoint.ts'
import type { Rule } from './misbehave.ts'

/** Does what the rule says around the two steps of the request. */
export async function misbehave(exchange: Exchange, rule: Rule, begun: Begun): Promise<void> {
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
      open(exchange, answer)
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
      open(exchange, answer)
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

  const advice: string[] = []
  if (rule.should_retry !== undefined) advice.push('Stripe-Should-Retry', String(rule.should_retry))
  if (rule.retry_after !== undefined) advice.push('Retry-After', String(rule.retry_after))
  send(exchange, answer, advice)
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
