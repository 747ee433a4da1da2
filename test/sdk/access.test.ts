import { describe, expect, test } from 'vitest'
import { DeniedError } from '../../sdk/typescript/src/index.ts'
import {
  allowed,
  EVENT,
  type Line,
  OPERATIONS,
  problem,
  REFUND,
  scriptedGateway,
  thrownBy,
} from './scripted-gateway.ts'

const ASK = 'POST /v1/access-requests'
const FOLLOW = 'GET /v1/access-requests/acc_1'

const denied = problem(403, 'policy_denied')
const request = (state: string, status = 200): Line => ({ status, body: { id: 'acc_1', state } })
const operations: Line = {
  status: 200,
  body: {
    operations: [
      {
        provider: 'stripe',
        operation: 'create_charge',
        action: 'stripe:charges:create',
        resource: 'stripe.com/v1/charges',
      },
      {
        provider: 'stripe',
        operation: 'create_refund',
        action: 'stripe:refunds:create',
        resource: 'stripe.com/v1/refunds',
      },
    ],
  },
}
const asking = { onDenied: 'request-access', waitMs: 20_000 } as const

describe("onDenied: 'request-access'", () => {
  test('asks for exactly what was denied, waits, and sends the same call once more', async () => {
    const { agent, asked, times } = await scriptedGateway({
      [REFUND]: [denied, allowed()],
      [OPERATIONS]: [operations],
      [ASK]: [request('pending', 201)],
      [FOLLOW]: [request('pending'), request('granted')],
    })
    const refund = await agent.callProvider('stripe', 'create_refund', { charge: 'ch_123' }, asking)
    expect(refund.data).toEqual({ id: 're_1' })
    expect(asked.find(({ url }) => url === '/v1/access-requests')!.body).toEqual({
      service: 'stripe',
      action: 'stripe:refunds:create',
      resource: 'stripe.com/v1/refunds',
      duration: '1h',
      reason: 'It is policy_denied.',
      event_id: EVENT,
    })
    expect(asked.filter(({ url }) => url.includes('acc_1')).map(({ url }) => url)[0]).toMatch(/\?wait=(1\d|20)$/)
    expect(times(REFUND)).toBe(2)
    const [first, second] = asked.filter(({ url }) => url.endsWith('create_refund'))
    expect(second!.body).toEqual(first!.body)
  })

  test('asks for what the caller says instead', async () => {
    const { agent, asked } = await scriptedGateway({
      [REFUND]: [denied, allowed()],
      [ASK]: [request('granted', 201)],
    })
    const accessRequest = { action: 'stripe:refunds:*', resource: 'stripe.com/v1/*', duration: '15m', reason: 'Case 7' }
    await agent.callProvider('stripe', 'create_refund', {}, { ...asking, accessRequest })
    expect(asked.find(({ url }) => url === '/v1/access-requests')!.body).toMatchObject(accessRequest)
  })

  test('names the operation where its action cannot be looked up', async () => {
    const { agent, asked } = await scriptedGateway({ [REFUND]: [denied, allowed()], [ASK]: [request('granted', 201)] })
    await agent.callProvider('stripe', 'create_refund', {}, asking)
    const { body } = asked.find(({ url }) => url === '/v1/access-requests')!
    expect(body).toMatchObject({ service: 'stripe', action: 'create_refund', event_id: EVENT })
    expect(body).not.toHaveProperty('resource')
  })

  test.each<
    readonly [
      sentence: string,
      lines: Record<string, readonly Line[]>,
      waitMs: number,
      note: RegExp,
      id: string | undefined,
    ]
  >([
    ['a gateway without access requests', {}, 20_000, /takes no access requests/, undefined],
    [
      'a gateway that takes the path for the provider’s own',
      { [ASK]: [{ status: 403, body: { error: { type: 'invalid_request_error' } } }] },
      20_000,
      /takes no access requests/,
      undefined,
    ],
    [
      'a request that cannot be made',
      { [ASK]: [problem(400, 'malformed_request')] },
      20_000,
      /could not be requested/,
      undefined,
    ],
    ['a request that may have been made', { [ASK]: ['cut'] }, 20_000, /could not be requested/, undefined],
    [
      'a human who refuses',
      { [ASK]: [request('pending', 201)], [FOLLOW]: [request('refused')] },
      20_000,
      /acc_1 was refused/,
      'acc_1',
    ],
    [
      'a request that expires',
      { [ASK]: [request('pending', 201)], [FOLLOW]: [request('expired')] },
      20_000,
      /acc_1 has expired/,
      'acc_1',
    ],
    [
      'nobody who answers in time',
      { [ASK]: [request('pending', 201)], [FOLLOW]: [request('pending')] },
      200,
      /waiting for a human/,
      'acc_1',
    ],
    ['no time to wait', { [ASK]: [request('pending', 201)] }, 0, /waiting for a human/, 'acc_1'],
    [
      'a request that is gone',
      { [ASK]: [request('pending', 201)], [FOLLOW]: [problem(404, 'not_found')] },
      20_000,
      /cannot be followed/,
      'acc_1',
    ],
  ])('throws the denial, with a note, for %s', async (_, lines, waitMs, note, id) => {
    const { agent, times } = await scriptedGateway({ [REFUND]: [denied], ...lines })
    const thrown = await thrownBy(agent.callProvider('stripe', 'create_refund', {}, { ...asking, waitMs }))
    expect(thrown).toBeInstanceOf(DeniedError)
    expect(thrown).toMatchObject({
      code: 'policy_denied',
      eventId: EVENT,
      accessRequestId: id,
      message: expect.stringMatching(note),
    })
    expect(times(REFUND)).toBe(1)
    expect(times(ASK)).toBe(1)
  })

  test('follows a request through a failure of the gateway', async () => {
    const { agent, times } = await scriptedGateway({
      [REFUND]: [denied, allowed()],
      [ASK]: [request('pending', 201)],
      [FOLLOW]: ['cut', problem(503, 'draining'), request('granted')],
    })
    await agent.callProvider('stripe', 'create_refund', {}, asking)
    expect(times(FOLLOW)).toBe(3)
  })

  test('asks once only: a call that is denied after its grant is thrown', async () => {
    const { agent, times } = await scriptedGateway({ [REFUND]: [denied], [ASK]: [request('granted', 201)] })
    expect(await thrownBy(agent.callProvider('stripe', 'create_refund', {}, asking))).toBeInstanceOf(DeniedError)
    expect([times(REFUND), times(ASK)]).toEqual([2, 1])
  })
})

describe('nobody is asked', () => {
  test.each([
    ['by default', 'policy_denied', {}],
    ['for a cap, which no grant lifts', 'spend_cap_exceeded', asking],
    ['for an operation that does not exist', 'unknown_operation', asking],
    ['for a call that waits for a human already', 'approval_required', asking],
    ['in a dry run', 'policy_denied', { ...asking, dryRun: true }],
  ] as const)('%s', async (_, code, options) => {
    const { agent, times } = await scriptedGateway({ [REFUND]: [problem(403, code)], [ASK]: [request('granted', 201)] })
    expect(await thrownBy(agent.callProvider('stripe', 'create_refund', {}, options))).toMatchObject({ code })
    expect(times(ASK)).toBe(0)
  })
})
