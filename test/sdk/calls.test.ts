import { describe, expect, test } from 'vitest'
import { ProviderError } from '../../sdk/typescript/src/index.ts'
import { allowed, CALL, EVENT, OPERATIONS, problem, REFUND, scriptedGateway, thrownBy } from './scripted-gateway.ts'

describe('a call', () => {
  test('carries its facts in the body and the vault key in the header', async () => {
    const { agent, asked } = await scriptedGateway({ [REFUND]: [allowed()] })
    await agent.callProvider(
      'stripe',
      'create_refund',
      { charge: 'ch_123', amount: 500 },
      { callId: 'call_abc', occurrence: 2, turn: 7, correlationId: 'inc-1', dryRun: false },
    )
    expect(asked).toHaveLength(1)
    expect(asked[0]!.headers).toMatchObject({ authorization: 'Bearer cs_test', 'content-type': 'application/json' })
    expect(asked[0]!.body).toEqual({
      params: { charge: 'ch_123', amount: 500 },
      call_id: 'call_abc',
      occurrence: 2,
      run: 'conv-42',
      turn: 7,
      correlation_id: 'inc-1',
      dry_run: false,
    })
  })

  test('by name is the same call', async () => {
    const { agent, asked } = await scriptedGateway({ [REFUND]: [allowed()] })
    const params = { charge: 'ch_123', amount: 500 }
    await agent.callProvider('stripe', 'create_refund', params, { callId: 'a', turn: 1 })
    await agent.callProvider({ provider: 'stripe', operation: 'create_refund', params, callId: 'a', turn: 1 })
    expect(asked[1]!.url).toBe(asked[0]!.url)
    expect(asked[1]!.body).toEqual(asked[0]!.body)
  })

  test('without a call id gets one of its own each time', async () => {
    const { agent, asked } = await scriptedGateway({ [REFUND]: [allowed()] })
    await agent.callProvider('stripe', 'create_refund', {})
    await agent.callProvider('stripe', 'create_refund', {})
    const ids = asked.map(({ body }) => body.call_id)
    expect(new Set(ids).size).toBe(2)
    expect(ids).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), expect.stringMatching(/^[0-9a-f-]{36}$/)])
  })

  test('resolves with the answer, the event, and what it cost', async () => {
    const { agent } = await scriptedGateway({ [REFUND]: [allowed({ id: 're_1', amount: 500 })] })
    expect(await agent.callProvider('stripe', 'create_refund', { charge: 'ch_123' })).toEqual({
      data: { id: 're_1', amount: 500 },
      eventId: EVENT,
      replayed: false,
      decision: 'allow',
      status: 200,
      cost: { amount: 500, currency: 'usd' },
    })
  })

  test('says when the answer is a record’s', async () => {
    const body = { event_id: EVENT, decision: 'allow', replayed: true, status: 200, data: {} }
    const { agent } = await scriptedGateway({ [REFUND]: [{ status: 200, body }] })
    const refund = await agent.callProvider('stripe', 'create_refund', {})
    expect(refund).toMatchObject({ replayed: true })
    expect(refund).not.toHaveProperty('cost')
  })

  test('that is a dry run has a decision and no data', async () => {
    const cost = { amount: 500, currency: 'usd' }
    const body = { event_id: EVENT, decision: 'allow', dry_run: true, reasons: [], policy_revision: 'sha256:0', cost }
    const { agent, asked } = await scriptedGateway({ [REFUND]: [{ status: 200, body }] })
    const judged = await agent.callProvider('stripe', 'create_refund', {}, { dryRun: true })
    expect(asked[0]!.body.dry_run).toBe(true)
    expect(judged).toMatchObject({ data: null, decision: 'allow', cost })
  })

  test.each([
    ['one level down', { error: { message: 'No such charge' } }],
    ['at the top', { message: 'No such charge', code: 21211 }],
  ])('passes on the provider’s own error, its message %s', async (_, error) => {
    const body = { event_id: EVENT, decision: 'allow', status: 404, error }
    const { agent, asked } = await scriptedGateway({ [REFUND]: [{ status: 404, body }] })
    const thrown = await thrownBy(agent.callProvider('stripe', 'create_refund', {}))
    expect(thrown).toBeInstanceOf(ProviderError)
    expect(thrown).toMatchObject({ code: 'provider_error', status: 404, body: error, eventId: EVENT })
    expect(String(thrown)).toContain('No such charge')
    expect(asked).toHaveLength(1)
  })

  test.each([
    ['../../admin', 'create_refund'],
    ['stripe', 'a/b'],
    ['stripe', '..'],
    ['', 'x'],
    ['stripe', 'x?y=1'],
  ])('to %j %j never leaves, for its name is not plain', async (provider, operation) => {
    const { agent, asked } = await scriptedGateway({})
    const thrown = await thrownBy(agent.callProvider(provider as string, operation as string, {}))
    expect(thrown).toMatchObject({ code: 'malformed_request' })
    expect(asked).toHaveLength(0)
  })

  test('does not follow a redirect with its key', async () => {
    const elsewhere = await scriptedGateway({ [REFUND]: [allowed()] })
    const { agent } = await scriptedGateway({
      [REFUND]: [
        { status: 307, headers: { location: `${elsewhere.baseUrl}/v1/providers/stripe/operations/create_refund` } },
      ],
    })
    expect(await thrownBy(agent.callProvider('stripe', 'create_refund', {}))).toMatchObject({ code: 'http_307' })
    expect(elsewhere.asked).toHaveLength(0)
  })

  test('to something that is no gateway says so', async () => {
    const { agent } = await scriptedGateway({ [REFUND]: [{ status: 200, body: '<html>hello</html>' }] })
    const thrown = await thrownBy(agent.callProvider('stripe', 'create_refund', {}))
    expect(thrown).toMatchObject({ code: 'http_200', fix: expect.stringContaining('baseUrl') })
  })
})

describe('what the gateway knows', () => {
  test('operations() lists what this key may call', async () => {
    const operations = [{ provider: 'stripe', operation: 'create_refund', group: 'payments.refund', effect: 'write' }]
    const { agent } = await scriptedGateway({ [OPERATIONS]: [{ status: 200, body: { operations } }] })
    expect(await agent.operations()).toEqual(operations)
  })

  test('call() reads one record', async () => {
    const body = {
      event_id: EVENT,
      state: 'succeeded',
      decision: 'allow',
      provider: 'stripe',
      status: 200,
      data: { id: 1 },
    }
    const { agent } = await scriptedGateway({ [CALL]: [{ status: 200, body }] })
    const { event_id: eventId, ...rest } = body
    expect(await agent.call(EVENT)).toEqual({ eventId, ...rest })
  })

  test('call() reads a denial, with its reasons', async () => {
    const reasons = [{ code: 'default_deny', message: 'Writes are denied.', rule: 'countersign.defaults' }]
    const body = {
      event_id: EVENT,
      state: 'denied',
      decision: 'deny',
      reason: 'policy_denied',
      reasons,
      at: '2026-01-01T00:00:00Z',
    }
    const { agent } = await scriptedGateway({ [CALL]: [{ status: 200, body }] })
    const { event_id: eventId, ...rest } = body
    expect(await agent.call(EVENT)).toEqual({ eventId, ...rest })
  })

  test('call() of an unknown event says so', async () => {
    const { agent } = await scriptedGateway({ [CALL]: [problem(404, 'not_found')] })
    expect(await thrownBy(agent.call(EVENT))).toMatchObject({
      name: 'CountersignError',
      code: 'not_found',
      status: 404,
    })
  })
})
