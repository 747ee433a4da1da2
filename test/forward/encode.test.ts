import Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { encode } from '../../src/forward/index.ts'
import type { WireRequest } from '../../src/model/intent.ts'
import type { JsonObject, Operation, Params } from '../../src/model/operation.ts'
import { isRefusal } from '../../src/model/refusal.ts'
import { OPERATIONS } from './operations.ts'
import { provider } from './provider.ts'

const operation = (method: Operation['method'], path: string): Operation => ({
  ...OPERATIONS.create_charge,
  method,
  path,
  pathParams: [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!),
})
const wire = (on: Operation, params: JsonObject, encoding: 'form' | 'json' = 'form'): WireRequest => {
  const encoded = encode(on, params as Params, encoding)
  if (isRefusal(encoded)) throw new Error(encoded.detail)
  return encoded
}

interface SdkCase {
  readonly name: string
  readonly operation: Operation
  readonly params: JsonObject
  /** The same call, made with the official SDK. */
  readonly sdk: (stripe: Stripe, params: never) => Promise<unknown>
}

const charges = operation('POST', '/v1/charges')
const customer = operation('POST', '/v1/customers/{customer}')

const SDK_CASES: readonly SdkCase[] = [
  {
    name: 'plain values: integers, text, booleans',
    operation: charges,
    params: { amount: 5000, currency: 'usd', capture: false, source: 'tok_visa', description: 'two words' },
    sdk: (stripe, params) => stripe.charges.create(params),
  },
  {
    name: 'signs, quotes, spaces and brackets in values',
    operation: charges,
    params: { description: `a&b=c+d e%20f#g?h/i!j'k(l)m*n~o_p-q.r"s[t]u\\v\n` },
    sdk: (stripe, params) => stripe.charges.create(params),
  },
  {
    name: 'text beyond ASCII',
    operation: charges,
    params: { description: 'Zürich 東京 🎉 é' },
    sdk: (stripe, params) => stripe.charges.create(params),
  },
  {
    name: 'metadata, with names that need escaping',
    operation: charges,
    params: { amount: 1, metadata: { order: '7', 'a b&c': 'x', 'clé=': '' } },
    sdk: (stripe, params) => stripe.charges.create(params),
  },
  {
    name: 'lists of objects, nested',
    operation: operation('POST', '/v1/subscriptions'),
    params: {
      customer: 'cus_1',
      items: [
        { price: 'price_1', quantity: 2 },
        {
          price_data: { currency: 'usd', recurring: { interval: 'month' }, unit_amount: 100 },
          tax_rates: ['txr_1', 'txr_2'],
        },
      ],
      expand: ['latest_invoice.payment_intent', 'customer'],
    },
    sdk: (stripe, params) => stripe.subscriptions.create(params),
  },
  {
    name: 'an empty text unsets',
    operation: customer,
    params: { customer: 'cus_1', metadata: '', default_source: '' },
    sdk: (stripe, { customer: id, ...params }: { customer: string }) => stripe.customers.update(id, params),
  },
  {
    name: 'null unsets too',
    operation: customer,
    params: { customer: 'cus_1', metadata: { order: null }, name: null },
    sdk: (stripe, { customer: id, ...params }: { customer: string }) => stripe.customers.update(id, params),
  },
  {
    name: 'empty lists and objects send nothing',
    operation: customer,
    params: { customer: 'cus_1', name: 'x', preferred_locales: [], address: {} },
    sdk: (stripe, { customer: id, ...params }: { customer: string }) => stripe.customers.update(id, params),
  },
  {
    name: 'numbers with a fraction',
    operation: operation('POST', '/v1/subscriptions'),
    params: { customer: 'cus_1', application_fee_percent: 12.5 },
    sdk: (stripe, params) => stripe.subscriptions.create(params),
  },
  {
    name: 'a POST without params has an empty body',
    operation: operation('POST', '/v1/payment_intents/{intent}/cancel'),
    params: { intent: 'pi_1' },
    sdk: (stripe) => stripe.paymentIntents.cancel('pi_1'),
  },
  {
    name: 'a GET puts its params into the query',
    operation: operation('GET', '/v1/customers'),
    params: { limit: 3, created: { gte: 1700000000 }, email: 'a+b@example.com', expand: ['data.default_source'] },
    sdk: async (stripe, params) => stripe.customers.list(params),
  },
  {
    name: 'a GET without params has no query',
    operation: operation('GET', '/v1/charges/{charge}'),
    params: { charge: 'ch_1' },
    sdk: (stripe) => stripe.charges.retrieve('ch_1'),
  },
  {
    name: 'a DELETE puts its params into the query',
    operation: operation('DELETE', '/v1/subscriptions/{subscription}'),
    params: { subscription: 'sub_1', prorate: true, cancellation_details: { comment: 'too dear' } },
    sdk: (stripe, { subscription, ...params }: { subscription: string }) =>
      stripe.subscriptions.cancel(subscription, params),
  },
  {
    name: 'an id of the merchant’s own making is escaped in the path',
    operation: operation('GET', '/v1/coupons/{coupon}'),
    params: { coupon: '25 off+é&=' },
    sdk: (stripe) => stripe.coupons.retrieve('25 off+é&='),
  },
  {
    name: 'two ids in one path',
    operation: operation('DELETE', '/v1/customers/{customer}/sources/{id}'),
    params: { customer: 'cus_1', id: 'card_1' },
    sdk: (stripe) => stripe.customers.deleteSource('cus_1', 'card_1'),
  },
]

/** Names and values in order, decoded. */
const pairs = (text: string): string[][] =>
  text === '' ? [] : text.split('&').map((pair) => pair.split('=').map((part) => decodeURIComponent(part)))

describe("the official SDK's bytes say the same", () => {
  it.each(SDK_CASES)('for $name', async ({ operation, params, sdk }) => {
    const capture = await provider([{ answer: 200, body: { object: 'list', data: [] } }])
    const stripe = new Stripe('sk_test_1', {
      host: '127.0.0.1',
      port: new URL(capture.origin).port,
      protocol: 'http',
      maxNetworkRetries: 0,
      telemetry: false,
    })
    await sdk(stripe, params as never)
    await capture.close()
    const [head, body] = capture.requests[0]!.split('\r\n\r\n') as [string, string]
    const [method, target] = head.split(' ') as [string, string]
    const [path, query = ''] = target.split('?') as [string, string?]

    const ours = wire(operation, params)
    const [ourPath, ourQuery = ''] = ours.path.split('?') as [string, string?]
    expect(ours.method).toBe(method)
    expect(decodeURIComponent(ourPath)).toBe(decodeURIComponent(path))
    expect(pairs(ourQuery)).toEqual(pairs(query))
    expect(pairs(ours.body ?? '')).toEqual(pairs(body))
  })
})

describe('on the wire', () => {
  it('a form is ASCII, strictly escaped, its brackets plain in names only', () => {
    expect(wire(charges, { items: [{ price: 'p' }], description: "é [1]'(x)*" })).toEqual({
      method: 'POST',
      path: '/v1/charges',
      content_type: 'application/x-www-form-urlencoded',
      body: 'items[0][price]=p&description=%C3%A9%20%5B1%5D%27%28x%29%2A',
    })
  })

  it('JSON is for providers that speak it; the path params stay out of it', () => {
    expect(
      wire(operation('PATCH', '/emails/{id}'), { id: 'e_1', to: ['a@example.com'], n: 1, off: false, x: null }, 'json'),
    ).toEqual({
      method: 'PATCH',
      path: '/emails/e_1',
      content_type: 'application/json',
      body: '{"to":["a@example.com"],"n":1,"off":false,"x":null}',
    })
  })

  it('the same tree is the same bytes, and the tree is left as it was', () => {
    const params = Object.freeze({ amount: 1, metadata: Object.freeze({ b: '1', a: '2' }) })
    expect(wire(charges, params)).toEqual(wire(charges, params))
  })

  it('a name of the prototype is a name like any other', () => {
    const params = JSON.parse('{"metadata": {"__proto__": "x", "constructor": "y"}}') as JsonObject
    expect(wire(charges, params).body).toBe('metadata[__proto__]=x&metadata[constructor]=y')
  })
})

const retrieve = operation('GET', '/v1/charges/{charge}')

const REFUSED: readonly (readonly [name: string, on: Operation, params: JsonObject, detail: string])[] = [
  ['a path param of two dots', retrieve, { charge: '..' }, 'charge'],
  ['a path param of one dot', retrieve, { charge: '.' }, 'charge'],
  ['an empty path param', retrieve, { charge: '' }, 'charge'],
  ['a path param that is missing', retrieve, {}, 'must be a string'],
  ['a path param that is an object', retrieve, { charge: { id: 'ch_1' } }, 'must be a string'],
  ['a slash in a path param', retrieve, { charge: 'ch_1/refunds' }, 'charge'],
  ['a backslash in a path param', retrieve, { charge: 'ch_1\\refunds' }, 'charge'],
  ['an escaped slash in a path param', retrieve, { charge: 'ch_1%2frefunds' }, 'charge'],
  ['a query in a path param', retrieve, { charge: 'ch_1?expand[]=x' }, 'charge'],
  ['a fragment in a path param', retrieve, { charge: 'ch_1#x' }, 'charge'],
  ['a line break in a path param', retrieve, { charge: 'ch_1\r\nhost: evil' }, 'charge'],
  ['a NUL in a path param', retrieve, { charge: 'ch_1\0' }, 'charge'],
  [
    'brackets in a name, which would be read as another tree',
    charges,
    { 'transfer_data[destination]': 'acct_1' },
    'brackets',
  ],
  ['brackets in a metadata name', charges, { metadata: { 'a][b': 'x' } }, 'brackets'],
  ['half a surrogate pair in a value', charges, { description: '\ud800' }, 'description is not valid Unicode'],
  ['half a surrogate pair in a path param', retrieve, { charge: '\udc00' }, 'charge is not valid Unicode'],
  ['a number with an exponent', charges, { amount: 1e21 }, 'amount is a number without a plain decimal form (1e+21)'],
  ['a number that is none', charges, { amount: Number.NaN }, 'amount is a number without'],
]

describe('refused is', () => {
  it.each(REFUSED)('%s', (_, on, params, detail) => {
    const refusal = encode(on, params as Params, 'form')
    expect(refusal).toMatchObject({ refused: true, code: 'invalid_params' })
    expect((refusal as { detail: string }).detail).toContain(detail)
  })
})
