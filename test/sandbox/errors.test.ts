import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { running, SECRET } from './harness.ts'

let sandbox: Awaited<ReturnType<typeof running>>
beforeAll(async () => {
  sandbox = await running()
})
beforeEach(() => sandbox.control('POST', 'reset'))
afterAll(() => sandbox.close())

const basic = (user: string) => `Basic ${Buffer.from(`${user}:`).toString('base64')}`

describe('a key', () => {
  it.each([
    ['as bearer', `Bearer ${SECRET}`, 200],
    ['as the user of Basic', basic(SECRET), 200],
    ['of a vault', 'Bearer cs_0123456789abcdef', 401],
    ['of a vault as Basic', basic('cs_0123456789abcdef'), 401],
    ['for live mode', 'Bearer sk_live_0123456789', 401],
    ['that is empty', 'Bearer ', 401],
    ['under another scheme', `Digest ${SECRET}`, 401],
  ] as const)('%s: %s is answered %i', async (_, authorization, status) => {
    const { status: answered, body } = await sandbox.send('GET', '/v1/balance', undefined, {
      Authorization: authorization,
    })
    expect(answered).toBe(status)
    if (status === 401) {
      expect(body.error.type).toBe('invalid_request_error')
      expect(JSON.stringify(body)).not.toContain('0123456789')
    }
  })

  it('that is missing is a 401 that says how to send one', async () => {
    const response = await fetch(`${sandbox.url}/v1/balance`)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Basic realm="Stripe"')
    expect(((await response.json()) as { error: { message: string } }).error.message).toContain(
      'did not provide an API key',
    )
  })

  it('other than the configured one is refused', async () => {
    const strict = await running({ secretKey: 'sk_test_only_this' })
    try {
      const as = async (key: string) =>
        (await strict.send('GET', '/v1/balance', undefined, { Authorization: `Bearer ${key}` })).status
      expect([await as('sk_test_only_this'), await as(SECRET)]).toEqual([200, 401])
    } finally {
      await strict.close()
    }
  })

  it("raises the SDK's own class", async () => {
    await expect(sandbox.stripe({}, 'cs_0123456789').balance.retrieve()).rejects.toMatchObject({
      type: 'StripeAuthenticationError',
      statusCode: 401,
    })
  })
})

const REFUSED = [
  ['an unknown route', 'GET', '/v1/nothing', undefined, 404, undefined, undefined],
  ['an unknown method of a route', 'DELETE', '/v1/charges/ch_123', undefined, 404, undefined, undefined],
  ['a missing amount', 'POST', '/v1/charges', 'currency=usd', 400, 'parameter_missing', 'amount'],
  ['a missing currency', 'POST', '/v1/payment_intents', 'amount=500', 400, 'parameter_missing', 'currency'],
  ['neither source nor customer', 'POST', '/v1/charges', 'amount=500&currency=usd', 400, 'parameter_missing', 'source'],
  ['a refund of nothing', 'POST', '/v1/refunds', 'amount=5', 400, 'parameter_missing', 'charge'],
  [
    'an amount in words',
    'POST',
    '/v1/refunds',
    'charge=ch_123&amount=five',
    400,
    'parameter_invalid_integer',
    'amount',
  ],
  [
    'an amount with a fraction',
    'POST',
    '/v1/refunds',
    'charge=ch_123&amount=5.5',
    400,
    'parameter_invalid_integer',
    'amount',
  ],
  ['an amount of nothing', 'POST', '/v1/refunds', 'charge=ch_123&amount=0', 400, 'parameter_invalid_integer', 'amount'],
  ['a negative amount', 'POST', '/v1/refunds', 'charge=ch_123&amount=-5', 400, 'parameter_invalid_integer', 'amount'],
  ['an empty amount', 'POST', '/v1/refunds', 'charge=ch_123&amount=', 400, 'parameter_invalid_empty', 'amount'],
  [
    'a list for an amount',
    'POST',
    '/v1/refunds',
    'charge=ch_123&amount[]=5',
    400,
    'parameter_invalid_string',
    'amount',
  ],
  [
    'too small a charge',
    'POST',
    '/v1/charges',
    'amount=49&currency=usd&source=tok_visa',
    400,
    'amount_too_small',
    'amount',
  ],
  [
    'too large a charge',
    'POST',
    '/v1/charges',
    'amount=100000000&currency=usd&source=tok_visa',
    400,
    'amount_too_large',
    'amount',
  ],
  ['an unknown currency', 'POST', '/v1/charges', 'amount=500&currency=zzz&source=tok_visa', 400, undefined, 'currency'],
  ['an unknown charge', 'POST', '/v1/refunds', 'charge=ch_none', 404, 'resource_missing', 'charge'],
  ['an unknown customer', 'GET', '/v1/customers/cus_none', undefined, 404, 'resource_missing', 'id'],
  [
    'an unknown cursor',
    'GET',
    '/v1/charges?starting_after=ch_none',
    undefined,
    404,
    'resource_missing',
    'starting_after',
  ],
  ['too long a page', 'GET', '/v1/charges?limit=101', undefined, 400, 'parameter_invalid_integer', 'limit'],
  [
    'a property that does not expand',
    'POST',
    '/v1/refunds',
    'charge=ch_123&expand[]=amount',
    400,
    undefined,
    undefined,
  ],
  ['an expansion on a page without data', 'GET', '/v1/charges?expand[]=customer', undefined, 400, undefined, undefined],
  ['unbalanced brackets', 'POST', '/v1/customers', 'metadata[a=b', 400, undefined, undefined],
  ['a prototype', 'POST', '/v1/customers', 'metadata[__proto__]=b', 400, undefined, undefined],
  ['broken percent-encoding', 'POST', '/v1/customers', 'email=%ff', 400, undefined, undefined],
] as const

describe('a request', () => {
  it.each(REFUSED)('with %s: %s %s %s is refused', async (_, method, path, form, status, code, param) => {
    const answer = await sandbox.send(method, path, form)
    expect(answer.status).toBe(status)
    expect(answer.body.error.type).toBe('invalid_request_error')
    expect(answer.body.error.message).not.toBe('')
    expect([answer.body.error.code, answer.body.error.param]).toEqual([code, param])
    expect(await sandbox.effects()).toEqual([])
  })

  it('whose body is JSON is refused, as v1 takes forms only', async () => {
    const json = { 'Content-Type': 'application/json' }
    const { status, body } = await sandbox.send('POST', '/v1/customers', '{"email":"a@example.com"}', json)
    expect(status).toBe(400)
    expect(body.error.message).toContain('application/x-www-form-urlencoded')
  })

  it('has an id of its own, and its version echoed', async () => {
    const ask = () => sandbox.send('GET', '/v1/balance', undefined, { 'Stripe-Version': '2024-06-20' })
    const [one, two] = [await ask(), await ask()]
    expect(one.headers.get('stripe-version')).toBe('2024-06-20')
    expect(one.headers.get('request-id')).toMatch(/^req_\w{24}$/)
    expect(one.headers.get('request-id')).not.toBe(two.headers.get('request-id'))
  })

  it('larger than eight megabytes is refused with 413', async () => {
    const response = await fetch(`${sandbox.url}/v1/customers`, { method: 'POST', body: 'a'.repeat(9 * 1024 * 1024) })
    expect(response.status).toBe(413)
  })

  it('expands the members of a page', async () => {
    const { body } = await sandbox.send('GET', '/v1/charges?customer=cus_456&expand[]=data.customer')
    expect(body.data.map(({ customer }: { customer: { id: string } }) => customer.id)).toEqual(['cus_456', 'cus_456'])
  })
})
