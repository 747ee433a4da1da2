import { describe, expect, test } from 'vitest'
import { CountersignError, UnknownOutcomeError } from '../../sdk/typescript/src/index.ts'
import { backoffMs, nextDelayMs } from '../../sdk/typescript/src/retry.ts'
import { retryAfter } from '../../sdk/typescript/src/transport.ts'
import {
  allowed,
  askingToWait,
  EVENT,
  type Line,
  problem,
  REFUND,
  scriptedGateway,
  thrownBy,
} from './scripted-gateway.ts'

const proxy = (status: number): Line => ({ status, body: '<html>' })

const REPEATED: readonly (readonly [sentence: string, first: Line])[] = [
  ['policy could not be evaluated', problem(503, 'policy_unavailable')],
  ['the audit store is down', problem(503, 'audit_unavailable')],
  ['the counters are down', problem(503, 'counters_unavailable')],
  ['the counters are being rebuilt', problem(503, 'counters_rehydrating')],
  ['the gateway is shutting down', problem(503, 'draining')],
  ['a newer gateway says that it may pass later', problem(503, 'from_the_future', { retryable: true })],
  ['the first call of the kind still runs', problem(409, 'call_in_flight')],
  ['the provider was not reached', problem(502, 'upstream_failed')],
  ['a proxy lost the gateway', proxy(502)],
  ['a proxy has no gateway', proxy(503)],
  ['a proxy grew impatient', proxy(504)],
  ['the connection was cut after the call was sent', 'cut'],
]

const NOT_REPEATED: readonly (readonly [sentence: string, first: Line])[] = [
  ['policy denies', problem(403, 'policy_denied')],
  ['the cap is reached', problem(403, 'spend_cap_exceeded')],
  ['the key is unknown', problem(401, 'unknown_key')],
  ['the call id has other params', problem(409, 'call_id_conflict')],
  ['the call was made before', problem(409, 'duplicate_call')],
  ['the outcome is unknown', problem(502, 'outcome_unknown', { retryable: true })],
  ['the gateway holds no credential', problem(503, 'credential_missing')],
  ['the gateway failed', problem(500, 'internal_fault', { retryable: true })],
  [
    'the provider itself answers 503',
    { status: 503, body: { event_id: EVENT, decision: 'allow', status: 503, error: {} } },
  ],
  [
    'the provider itself answers 429',
    { status: 429, body: { event_id: EVENT, decision: 'allow', status: 429, error: {} } },
  ],
]

describe('a call is sent again, under the same call id, when', () => {
  test.each(REPEATED)('%s', async (_, first) => {
    const { agent, asked } = await scriptedGateway({ [REFUND]: [first, allowed()] })
    const refund = await agent.callProvider('stripe', 'create_refund', { charge: 'ch_123' })
    expect(refund.data).toEqual({ id: 're_1' })
    expect(asked).toHaveLength(2)
    expect(asked[0]!.body.call_id).toMatch(/./)
    expect(asked[1]!.body).toEqual(asked[0]!.body)
  })
})

describe('a call is sent only once when', () => {
  test.each(NOT_REPEATED)('%s', async (_, first) => {
    const { agent, asked } = await scriptedGateway({ [REFUND]: [first, allowed()] })
    expect(await thrownBy(agent.callProvider('stripe', 'create_refund', {}))).toBeInstanceOf(CountersignError)
    expect(asked).toHaveLength(1)
  })
})

describe('repeating ends', () => {
  test('after maxRetries, with the last refusal', async () => {
    const { agentWith, asked } = await scriptedGateway({ [REFUND]: [problem(503, 'draining')] })
    const thrown = await thrownBy(agentWith({ maxRetries: 2 }).callProvider('stripe', 'create_refund', {}))
    expect(thrown).toMatchObject({ name: 'UnavailableError', code: 'draining' })
    expect(asked).toHaveLength(3)
  })

  test('at once where the gateway asks for more time than is left', async () => {
    const { agent, asked } = await scriptedGateway({ [REFUND]: [askingToWait(3600)] })
    expect(await thrownBy(agent.callProvider('stripe', 'create_refund', {}))).toMatchObject({ code: 'draining' })
    expect(asked).toHaveLength(1)
  })

  test('with an unknown outcome where the call was sent and no answer came in time', async () => {
    const { agentWith, asked } = await scriptedGateway({ [REFUND]: ['silence'] })
    const thrown = await thrownBy(
      agentWith({ timeoutMs: 100 }).callProvider('stripe', 'create_refund', {}, { callId: 'call_abc' }),
    )
    expect(thrown).toBeInstanceOf(UnknownOutcomeError)
    expect(thrown).toMatchObject({ code: 'no_answer', callId: 'call_abc', fix: expect.stringContaining('call_abc') })
    expect(asked).toHaveLength(1)
  })

  test('with an unknown outcome where an attempt was lost and the next ones are refused as unavailable', async () => {
    const { agentWith } = await scriptedGateway({ [REFUND]: ['cut', problem(503, 'audit_unavailable')] })
    const thrown = await thrownBy(agentWith({ maxRetries: 1 }).callProvider('stripe', 'create_refund', {}))
    expect(thrown).toBeInstanceOf(UnknownOutcomeError)
    expect(thrown).toMatchObject({ cause: { code: 'audit_unavailable' } })
  })

  test('as unavailable, not unknown, where the gateway was never reached', async () => {
    const { agentWith, close } = await scriptedGateway({})
    await close()
    const thrown = await thrownBy(agentWith({ maxRetries: 1 }).callProvider('stripe', 'create_refund', {}))
    expect(thrown).toMatchObject({
      name: 'UnavailableError',
      code: 'unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('as unavailable for a read, which has no outcome to doubt', async () => {
    const { agentWith } = await scriptedGateway({ 'GET /v1/operations': ['cut'] })
    expect(await thrownBy(agentWith({ maxRetries: 0 }).operations())).toMatchObject({ name: 'UnavailableError' })
  })
})

describe('an aborted signal', () => {
  test('stops a call before it is sent', async () => {
    const { agent, asked } = await scriptedGateway({ [REFUND]: [allowed()] })
    const reason = new Error('enough')
    const thrown = await thrownBy(
      agent.callProvider('stripe', 'create_refund', {}, { signal: AbortSignal.abort(reason) }),
    )
    expect(thrown).toBe(reason)
    expect(asked).toHaveLength(0)
  })

  test('stops waiting for an answer', async () => {
    const { agent, asked } = await scriptedGateway({ [REFUND]: ['silence'] })
    const stop = new AbortController()
    const pending = thrownBy(agent.callProvider('stripe', 'create_refund', {}, { signal: stop.signal }))
    while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    stop.abort()
    expect(await pending).toMatchObject({ name: 'AbortError' })
  })

  test('stops the pause between attempts', async () => {
    const { agent, asked } = await scriptedGateway({ [REFUND]: [askingToWait(30)] })
    const stop = new AbortController()
    const pending = thrownBy(agent.callProvider('stripe', 'create_refund', {}, { signal: stop.signal }))
    while (asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await new Promise((resolve) => setTimeout(resolve, 50))
    stop.abort()
    expect(await pending).toMatchObject({ name: 'AbortError' })
    expect(asked).toHaveLength(1)
  })
})

describe('the pause before the next attempt', () => {
  const error = new CountersignError({ code: 'draining', detail: 'Going.' })
  const state = { error, retries: 0, maxRetries: 3, remainingMs: 60_000, chance: 0 }

  test.each([
    ['starts at half of 250 ms and more by chance', state, 125],
    ['is never longer than its step', { ...state, chance: 0.999999 }, 250],
    ['doubles', { ...state, retries: 2 }, 500],
    ['is at least what the gateway asked for', { ...state, retryAfterMs: 2_000 }, 2_000],
    ['is not shortened by what the gateway asked for', { ...state, retryAfterMs: 0 }, 125],
    ['is refused where the retries are used up', { ...state, retries: 3 }, undefined],
    ['is refused where it would pass the deadline', { ...state, remainingMs: 125 }, undefined],
    [
      'is refused for what is not safe to repeat',
      { ...state, error: new CountersignError({ code: 'policy_denied', detail: '' }) },
      undefined,
    ],
  ] as const)('%s', (_, given, expected) => {
    const delay = nextDelayMs(given)
    expect(delay === undefined ? undefined : Math.round(delay)).toBe(expected)
  })

  test('never exceeds 8 s by itself', () => {
    expect(backoffMs(50, 1)).toBe(8_000)
  })
})

describe('Retry-After', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  test.each([
    ['seconds', '3', 3_000],
    ['a date', 'Thu, 01 Jan 2026 00:00:05 GMT', 5_000],
    ['a date that is past', 'Wed, 31 Dec 2025 23:59:00 GMT', 0],
    ['nonsense', 'soon', undefined],
    ['nothing', null, undefined],
  ] as const)('as %s', (_, header, expected) => {
    expect(retryAfter(header, now)).toBe(expected)
  })
})
