/** Forward against the stateful sandbox: whatever it does on the way, an event has at most one effect, under one key. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { encode } from '../../src/forward/index.ts'
import type { Intent, WireRequest } from '../../src/model/intent.ts'
import type { JsonObject, Params } from '../../src/model/operation.ts'
import type { OutcomeKind } from '../../src/model/outcome.ts'
import { type Effect, type RunningSandbox, type SeenRequest, startSandbox } from '../../src/sandbox/index.ts'
import { committed, OPERATIONS, rig } from './operations.ts'

let sandbox: RunningSandbox
beforeAll(async () => {
  sandbox = await startSandbox({ port: 0 })
})
afterAll(() => sandbox.close())

const command = async <T>(method: string, name: string, body?: unknown): Promise<T> => {
  const answer = await fetch(`${sandbox.url}/_sandbox/${name}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  expect(answer.status).toBe(200)
  return (await answer.json()) as T
}
const seenBy = async (intent: Intent) => {
  const key = `cs-${intent.event_id}`
  // A declined charge is an object too, which moves nothing.
  const charged = (await command<Effect[]>('GET', 'effects')).filter(
    (effect) => effect.idempotency_key === key && effect.moved > 0,
  )
  const requests = (await command<SeenRequest[]>('GET', 'requests')).filter((request) => request.path === '/v1/charges')
  return { charged, requests, keys: new Set(requests.map((request) => request.idempotency_key)), key }
}
beforeEach(async () => {
  await command('POST', 'reset')
  await command('DELETE', 'misbehave')
})

const charging = (params: JsonObject): Intent => {
  const request = encode(OPERATIONS.create_charge, params as Params, 'form') as WireRequest
  return { ...committed('create_charge'), request }
}

interface SandboxCase {
  readonly name: string
  readonly rules: readonly object[]
  readonly source?: string
  readonly kind: OutcomeKind
  /** Of the first sending. */
  readonly attempts: number
  /** Charges that moved money. */
  readonly effects: number
  /** Where it was unknown: what sending it again, with the sandbox well-behaved, then brings. */
  readonly settles?: OutcomeKind
}

const always = 9

const CASES: readonly SandboxCase[] = [
  { name: 'a charge is made once', rules: [], kind: 'succeeded', attempts: 1, effects: 1 },
  {
    name: 'a declined card moves nothing',
    rules: [],
    source: 'tok_chargeDeclined',
    kind: 'failed',
    attempts: 1,
    effects: 0,
  },
  {
    name: 'a reset before the effect, then the charge',
    rules: [{ do: 'reset_before_effect' }],
    kind: 'succeeded',
    attempts: 2,
    effects: 1,
  },
  {
    name: 'a reset after the effect, then its replay',
    rules: [{ do: 'reset_after_effect' }],
    kind: 'succeeded',
    attempts: 2,
    effects: 1,
  },
  {
    name: 'resets after the effect, always: unknown, until a resend replays it',
    rules: [{ do: 'reset_after_effect', times: always }],
    kind: 'unknown',
    attempts: 3,
    effects: 1,
    settles: 'succeeded',
  },
  {
    name: 'resets before the effect, always: unknown, until a resend makes it',
    rules: [{ do: 'reset_before_effect', times: always }],
    kind: 'unknown',
    attempts: 3,
    effects: 0,
    settles: 'succeeded',
  },
  {
    name: 'a declined card whose answer was lost: unknown, until a resend replays the decline',
    rules: [{ do: 'reset_after_effect', times: always }],
    source: 'tok_chargeDeclined',
    kind: 'unknown',
    attempts: 3,
    effects: 0,
    settles: 'failed',
  },
  {
    name: 'an answer that comes too late, then a 409 or its replay',
    rules: [{ do: 'delay', when: 'after_effect', ms: 1_500 }],
    kind: 'succeeded',
    attempts: 2,
    effects: 1,
  },
  {
    name: 'a 409, a 429 and then the charge',
    rules: [
      { do: 'status', status: 409 },
      { do: 'status', status: 429, retry_after: 1 },
    ],
    kind: 'succeeded',
    attempts: 3,
    effects: 1,
  },
  {
    name: 'a 503 after the effect, then its replay',
    rules: [{ do: 'status', status: 503, when: 'after_effect' }],
    kind: 'succeeded',
    attempts: 2,
    effects: 1,
  },
  {
    name: 'a 500 that the key remembers: unknown, and stays so however often it is asked',
    rules: [{ do: 'status', status: 500, when: 'after_effect' }],
    kind: 'unknown',
    attempts: 2,
    effects: 1,
    settles: 'unknown',
  },
  {
    name: 'a truncated body, then its replay',
    rules: [{ do: 'truncated_body' }],
    kind: 'succeeded',
    attempts: 2,
    effects: 1,
  },
  {
    name: 'a body that is not JSON, then its replay',
    rules: [{ do: 'invalid_json' }],
    kind: 'succeeded',
    attempts: 2,
    effects: 1,
  },
  {
    name: 'a huge body: unknown, until a resend replays it at its size',
    rules: [{ do: 'huge_body', bytes: 1_000_000 }],
    kind: 'unknown',
    attempts: 1,
    effects: 1,
    settles: 'succeeded',
  },
  {
    name: 'a slow body, then its replay',
    rules: [{ do: 'slow_body', ms: 4_000 }],
    kind: 'succeeded',
    attempts: 2,
    effects: 1,
  },
  {
    name: 'a redirect moves nothing',
    rules: [{ do: 'redirect', url: 'https://evil.example/v1/charges' }],
    kind: 'failed',
    attempts: 1,
    effects: 0,
  },
]

describe('against the sandbox', () => {
  it.each(CASES)('$name', async ({ rules, source = 'tok_visa', kind, attempts, effects, settles }) => {
    if (rules.length > 0) await command('POST', 'misbehave', rules)
    const { upstream } = rig(sandbox.url, { attempt_ms: 1_000 })
    const intent = charging({ amount: 500, currency: 'usd', source })

    const outcome = await upstream.send(intent)
    expect(outcome).toMatchObject({ kind, attempts })
    const seen = await seenBy(intent)
    expect(seen.requests).toHaveLength(attempts)
    expect([...seen.keys]).toEqual([seen.key])
    expect(seen.charged).toHaveLength(effects)

    if (settles !== undefined) {
      await command('DELETE', 'misbehave')
      expect(await upstream.resend(intent)).toMatchObject({ kind: settles })
      expect((await seenBy(intent)).charged).toHaveLength(settles === 'succeeded' ? 1 : effects)
    }
    await upstream.close()
  })

  it('a credential that it does not know is refused, without effect', async () => {
    const { upstream } = rig(sandbox.url, {}, async () => 'sk_live_not_a_test_key')
    const intent = charging({ amount: 500, currency: 'usd', source: 'tok_visa' })
    expect(await upstream.send(intent)).toMatchObject({ kind: 'failed', answer: { status: 401 } })
    expect((await seenBy(intent)).charged).toEqual([])
    await upstream.close()
  })

  it('the same intent sent twenty times at once has one effect', async () => {
    const { upstream } = rig(sandbox.url)
    const intent = charging({ amount: 500, currency: 'usd', source: 'tok_visa' })
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => upstream.send(intent)))
    const ids = outcomes.map((outcome) => (outcome.answer!.body as { id: string }).id)
    expect(new Set(ids).size).toBe(1)
    expect((await seenBy(intent)).charged).toHaveLength(1)
    await upstream.close()
  })
})
