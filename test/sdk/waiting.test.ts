import { describe, expect, test } from 'vitest'
import { HeldError, UnknownOutcomeError } from '../../sdk/typescript/src/index.ts'
import { allowed, CALL, EVENT, type Line, problem, REFUND, scriptedGateway, thrownBy } from './scripted-gateway.ts'

const held: Line = {
  status: 202,
  body: { event_id: EVENT, decision: 'hold', approval_id: 'apr_1', expires_at: '2026-01-01T00:00:00Z' },
}
const unknown = problem(502, 'outcome_unknown')
const record = (state: string, more: object = {}): Line => ({ status: 200, body: { event_id: EVENT, state, ...more } })
const succeeded = record('succeeded', { decision: 'allow', status: 200, data: { id: 're_1' } })

describe('without waitMs', () => {
  test('a held call is thrown at once, with its approval', async () => {
    const { agent, asked } = await scriptedGateway({ [REFUND]: [held] })
    const thrown = await thrownBy(agent.callProvider('stripe', 'create_refund', {}))
    expect(thrown).toBeInstanceOf(HeldError)
    expect(thrown).toMatchObject({
      eventId: EVENT,
      approvalId: 'apr_1',
      expiresAt: '2026-01-01T00:00:00Z',
      status: 202,
    })
    expect(asked).toHaveLength(1)
  })

  test('an unknown outcome is thrown at once, and nothing is sent again', async () => {
    const { agent, asked } = await scriptedGateway({ [REFUND]: [unknown], [CALL]: [succeeded] })
    const thrown = await thrownBy(agent.callProvider('stripe', 'create_refund', {}))
    expect(thrown).toBeInstanceOf(UnknownOutcomeError)
    expect(thrown).toMatchObject({ eventId: EVENT })
    expect(asked).toHaveLength(1)
  })
})

/** What came first, what the record then says, and how the call ends; `sent` counts the calls, not the polls. */
const ENDS: readonly (readonly [
  sentence: string,
  first: readonly Line[],
  polls: readonly Line[],
  end: object,
  sent: number,
])[] = [
  [
    'an unknown outcome that becomes known',
    [unknown],
    [record('unknown'), succeeded],
    { data: { id: 're_1' }, replayed: true },
    1,
  ],
  [
    'an unknown outcome that turns out without effect',
    [unknown],
    [record('failed')],
    { name: 'UnavailableError', code: 'upstream_failed' },
    1,
  ],
  [
    "an unknown outcome that turns out to be the provider's error",
    [unknown],
    [record('failed', { status: 402, error: { error: { message: 'Declined' } } })],
    { name: 'ProviderError', status: 402, body: { error: { message: 'Declined' } } },
    1,
  ],
  [
    'a success whose answer only the same call id fetches',
    [unknown, allowed()],
    [record('succeeded')],
    { data: { id: 're_1' } },
    2,
  ],
  [
    'a held call that the gateway ran once it was approved',
    [held],
    [record('held'), record('running'), succeeded],
    { data: { id: 're_1' } },
    1,
  ],
  [
    'a held call that waits for the agent once it is approved',
    [held, allowed()],
    [record('held'), record('approved')],
    { data: { id: 're_1' } },
    2,
  ],
  [
    'a held call that is denied',
    [held],
    [record('denied', { reason: 'not today' })],
    { name: 'DeniedError', code: 'policy_denied', detail: expect.stringContaining('not today') },
    1,
  ],
  [
    'a record that could not be read for a moment',
    [unknown],
    ['cut', problem(503, 'draining'), succeeded],
    { data: { id: 're_1' } },
    1,
  ],
  [
    'a record that cannot be read at all',
    [unknown],
    [problem(404, 'not_found')],
    { name: 'UnknownOutcomeError', code: 'outcome_unknown' },
    1,
  ],
]

describe('with waitMs, a call ends for', () => {
  test.each(ENDS)('%s', async (_, first, polls, end, sent) => {
    const { agent, times, asked } = await scriptedGateway({ [REFUND]: first, [CALL]: polls })
    const call = agent.callProvider('stripe', 'create_refund', {}, { waitMs: 20_000 })
    expect(await call.catch((error: unknown) => error)).toMatchObject(end)
    expect(times(REFUND)).toBe(sent)
    const ids = asked.filter(({ method }) => method === 'POST').map(({ body }) => body.call_id)
    expect(new Set(ids).size).toBe(1)
  })

  test('a call in flight that outlasts the retries', async () => {
    const { agentWith, times } = await scriptedGateway({
      [REFUND]: [problem(409, 'call_in_flight')],
      [CALL]: [record('running'), succeeded],
    })
    const refund = await agentWith({ maxRetries: 0 }).callProvider('stripe', 'create_refund', {}, { waitMs: 20_000 })
    expect(refund).toMatchObject({ data: { id: 're_1' }, eventId: EVENT })
    expect(times(REFUND)).toBe(1)
  })
})

test('the first error stands when waitMs is over', async () => {
  const { agent, times } = await scriptedGateway({ [REFUND]: [held], [CALL]: [record('held')] })
  expect(await thrownBy(agent.callProvider('stripe', 'create_refund', {}, { waitMs: 300 }))).toBeInstanceOf(HeldError)
  expect(times(CALL)).toBeGreaterThan(0)
})

test('an aborted signal ends the waiting', async () => {
  const { agent, asked } = await scriptedGateway({ [REFUND]: [held], [CALL]: [record('held')] })
  const stop = new AbortController()
  const pending = thrownBy(agent.callProvider('stripe', 'create_refund', {}, { waitMs: 60_000, signal: stop.signal }))
  while (asked.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
  stop.abort()
  expect(await pending).toMatchObject({ name: 'AbortError' })
})
