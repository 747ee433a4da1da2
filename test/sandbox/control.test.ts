import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { running, SECRET } from './harness.ts'

let sandbox: Awaited<ReturnType<typeof running>>
beforeAll(async () => {
  sandbox = await running()
})
beforeEach(() => sandbox.control('POST', 'reset'))
afterAll(() => sandbox.close())

describe('the ledger of effects', () => {
  it('has each write once, numbered, with what identifies it', async () => {
    const key = { 'Idempotency-Key': 'k1' }
    const charged = await sandbox.send('POST', '/v1/charges', 'amount=500&currency=usd&customer=cus_123', key)
    const refunded = await sandbox.send('POST', '/v1/refunds', 'charge=ch_123&amount=100')
    expect(await sandbox.effects()).toEqual([
      {
        seq: 1,
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        kind: 'charge.created',
        object: charged.body.id,
        amount: 500,
        currency: 'usd',
        customer: 'cus_123',
        moved: 500,
        account: 'platform',
        idempotency_key: 'k1',
        request_id: charged.headers.get('request-id'),
      },
      expect.objectContaining({ seq: 2, kind: 'refund.created', object: refunded.body.id, idempotency_key: null }),
    ])
    expect((await sandbox.control('GET', 'effects?since=1')).body).toHaveLength(1)
  })

  it('has nothing of reads, refusals and replays', async () => {
    const key = { 'Idempotency-Key': 'k1' }
    await sandbox.send('GET', '/v1/charges')
    await sandbox.send('POST', '/v1/refunds', 'charge=ch_none')
    await sandbox.send('POST', '/v1/refunds', 'charge=ch_123', key)
    await sandbox.send('POST', '/v1/refunds', 'charge=ch_123', key)
    expect(await sandbox.effects()).toHaveLength(1)
  })

  it('agrees with the state after many requests at once', async () => {
    await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        sandbox.send('POST', '/v1/refunds', 'charge=ch_123&amount=300', { 'Idempotency-Key': `k${n % 80}` }),
      ),
    )
    const effects = await sandbox.effects()
    const moved = effects.reduce((sum, effect) => sum + effect.moved, 0)
    const { body } = await sandbox.send('GET', '/v1/charges/ch_123')
    expect(effects).toHaveLength(66)
    expect(body.amount_refunded).toBe(moved)
    expect(moved).toBe(66 * 300)
  })
})

describe('the ledger of requests', () => {
  it('has whatever arrived, and never a secret', async () => {
    await sandbox.send('GET', '/v1/charges?limit=1')
    await sandbox.send('POST', '/v1/refunds', 'charge=ch_123', { 'Idempotency-Key': 'k1' })
    await sandbox.send('GET', '/v1/balance', undefined, { Authorization: 'Bearer cs_very_secret' })
    await fetch(`${sandbox.url}/v1/balance`)
    const seen = await sandbox.requests()
    expect(
      seen.map(({ seq, method, path, status, effect, authorization }) => [
        seq,
        `${method} ${path}`,
        status,
        effect,
        authorization.kind,
        authorization.prefix,
      ]),
    ).toEqual([
      [1, 'GET /v1/charges?limit=1', 200, false, 'bearer', 'sk_test'],
      [2, 'POST /v1/refunds', 200, true, 'bearer', 'sk_test'],
      [3, 'GET /v1/balance', 401, false, 'bearer', 'cs'],
      [4, 'GET /v1/balance', 401, false, 'none', null],
    ])
    expect(seen[0]!.authorization.sha256).toMatch(/^[0-9a-f]{12}$/)
    expect(seen[0]!.authorization.sha256).toBe(seen[1]!.authorization.sha256)
    expect(seen[2]!.authorization.sha256).not.toBe(seen[1]!.authorization.sha256)
    expect(JSON.stringify(seen)).not.toContain('very_secret')
    expect(JSON.stringify(seen)).not.toContain(SECRET)
  })
})

describe('a seed', () => {
  it('plants objects under the ids that it gives, without an effect', async () => {
    const seed = {
      customers: [{ id: 'cus_new', email: 'n@example.com' }],
      charges: [{ id: 'ch_new', amount: 900, currency: 'eur', customer: 'cus_new' }],
    }
    expect((await sandbox.control('POST', 'seed', seed)).body).toEqual({ planted: 2 })
    const { body } = await sandbox.send('GET', '/v1/charges/ch_new?expand[]=customer')
    expect(body).toMatchObject({ amount: 900, currency: 'eur', captured: true, customer: { email: 'n@example.com' } })
    expect((await sandbox.send('POST', '/v1/refunds', 'charge=ch_new')).body.amount).toBe(900)
    expect(await sandbox.effects()).toHaveLength(1)
  })

  it('in place of what has the same id', async () => {
    await sandbox.send('POST', '/v1/refunds', 'charge=ch_123')
    await sandbox.control('POST', 'seed', { charges: [{ id: 'ch_123', amount: 700, currency: 'usd' }] })
    expect((await sandbox.send('GET', '/v1/charges/ch_123')).body).toMatchObject({ amount: 700, amount_refunded: 0 })
  })

  it.each([
    ['without an id', { customers: [{}] }, 'customers[0] needs id'],
    ['of a charge without its amount', { charges: [{ id: 'ch_1', currency: 'usd' }] }, 'charges[0] needs amount'],
    ['of an unknown list', { payouts: [] }, 'there is no list payouts'],
    ['that is no object', [], 'a seed is an object of lists'],
    [
      'of a subscription on a price that does not recur',
      {
        prices: [{ id: 'price_once', product: 'prod_123', currency: 'usd', unit_amount: 100 }],
        subscriptions: [{ id: 'sub_1', customer: 'cus_123', price: 'price_once' }],
      },
      'price_once is not recurring',
    ],
    ['that names what is not there', { authorizations: [{ id: 'iauth_1', card: 'ic_none', amount: 1 }] }, 'ic_none'],
  ] as const)('%s is refused', async (_, seed, words) => {
    const { status, body } = await sandbox.control('POST', 'seed', seed)
    expect(status).toBe(400)
    expect(body.error).toContain(words)
  })

  it('of the start comes back with a reset, and all else goes', async () => {
    await sandbox.misbehave({ do: 'hang', times: 9, match: { path: '/v1/nothing' } })
    await sandbox.send('POST', '/v1/refunds', 'charge=ch_123', { 'Idempotency-Key': 'k1' })
    await sandbox.control('POST', 'reset')
    expect([await sandbox.effects(), await sandbox.requests()]).toEqual([[], []])
    expect((await sandbox.control('GET', 'misbehave')).body).toEqual([])
    const { body, headers } = await sandbox.send('POST', '/v1/refunds', 'charge=ch_123', { 'Idempotency-Key': 'k1' })
    expect(body.amount).toBe(20_000)
    expect(headers.get('idempotent-replayed')).toBeNull()
  })

  it('given at the start stands in for the demo', async () => {
    const own = await running({ seed: { customers: [{ id: 'cus_own' }] } })
    try {
      const { body } = await own.send('GET', '/v1/customers')
      expect(body.data.map(({ id }: { id: string }) => id)).toEqual(['cus_own'])
    } finally {
      await own.close()
    }
  })
})

describe('a command', () => {
  it.each([
    ['that is unknown', 'POST', 'explode', undefined, 404],
    ['under another method', 'PUT', 'seed', '{}', 404],
    ['whose body is no JSON', 'POST', 'seed', '{', 400],
  ] as const)('%s is refused', async (_, method, path, body, status) => {
    const response = await fetch(`${sandbox.url}/_sandbox/${path}`, { method, ...(body && { body }) })
    expect(response.status).toBe(status)
    expect(await response.json()).toHaveProperty('error')
  })
})
