import { createServer as createHttpServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseForm } from '../../src/catalogue/index.ts'
import type { JsonObject } from '../../src/model/operation.ts'
import { catalogue, operation } from './stripe.ts'

const READ = [
  ['an amount as an integer', 'create_charge', 'amount=5000&currency=usd', { amount: 5000, currency: 'usd' }],
  ['nothing', 'create_refund', '', {}],
  ['true and false', 'create_charge', 'capture=false', { capture: false }],
  ['names in brackets', 'create_refund', 'metadata[a]=b&metadata[c]=1', { metadata: { a: 'b', c: '1' } }],
  ['escaped brackets', 'create_refund', 'metadata%5Ba%5D=b', { metadata: { a: 'b' } }],
  [
    'numbered elements',
    'create_subscription',
    'items[0][price]=price_1&items[0][quantity]=2&items[1][price]=price_2',
    { items: [{ price: 'price_1', quantity: 2 }, { price: 'price_2' }] },
  ],
  [
    'numbered elements out of order',
    'create_subscription',
    'items[1][price]=price_2&items[0][price]=price_1',
    { items: [{ price: 'price_1' }, { price: 'price_2' }] },
  ],
  [
    'appended elements',
    'create_refund',
    'expand[]=charge&expand[]=payment_intent',
    { expand: ['charge', 'payment_intent'] },
  ],
  ['an empty text, which unsets', 'update_customer', 'metadata=&description=', { metadata: '', description: '' }],
  ['a plus for a space', 'create_charge', 'description=a+b%2Bc', { description: 'a b+c' }],
  ['an equals sign in a value', 'create_charge', 'description=a=b', { description: 'a=b' }],
  ['escaped UTF-8', 'create_charge', 'description=Zo%C3%AB', { description: 'Zoë' }],
  ['a time range', 'list_charges', 'created[gte]=1700000000&limit=3', { created: { gte: 1700000000 }, limit: 3 }],
  ['a time', 'list_charges', 'created=1700000000', { created: 1700000000 }],
  ['now, or a time', 'create_subscription', 'trial_end=now', { trial_end: 'now' }],
  ['a time where now would do', 'create_subscription', 'trial_end=1700000000', { trial_end: 1700000000 }],
  ['digits where text is wanted', 'create_charge', 'description=5000', { description: '5000' }],
  ['a percentage', 'create_subscription', 'application_fee_percent=12.5', { application_fee_percent: 12.5 }],
] as const

describe('a form is read', () => {
  it.each(READ)('with %s', (_, name, form, params) => {
    expect(parseForm(form, operation(name))).toEqual(params)
    expect(parseForm(Buffer.from(form), operation(name))).toEqual(params)
  })

  it('together with the params of the path', () => {
    expect(parseForm('amount_to_capture=5', operation('capture_payment_intent'), { intent: 'pi_1' })).toEqual({
      intent: 'pi_1',
      amount_to_capture: 5,
    })
  })
})

const MALFORMED = [
  ['a duplicate', 'amount=1&amount=9999'],
  ['a duplicate in brackets', 'metadata[a]=1&metadata[a]=2'],
  ['a duplicate in other spelling', 'amount=1&%61mount=9999'],
  ['one value and brackets', 'a=1&a[b]=2'],
  ['brackets and one value', 'a[b]=2&a=1'],
  ['__proto__', '__proto__[amount]=1'],
  ['__proto__ inside', 'metadata[__proto__]=1'],
  ['constructor', 'constructor[prototype][a]=1'],
  ['an unfinished escape', 'description=%4'],
  ['an escape that is none', 'description=%zz'],
  ['escaped bytes that are not UTF-8', 'description=%C3%28'],
  ['an overlong escape', 'description=%C0%A2'],
  ['an escaped surrogate', 'description=%ED%A0%80'],
  ['a NUL', 'description=a%00'],
  ['an escape character', 'description=%1b'],
  ['a name without a value', 'amount'],
  ['a value without a name', '=1'],
  ['an empty pair', 'amount=1&&currency=usd'],
  ['an unclosed bracket', 'metadata[a=1'],
  ['a bracket too many', 'metadata[a]]=1'],
  ['text after brackets', 'metadata[a]b=1'],
  ['brackets without a name', '[a]=1'],
  ['empty brackets in the middle', 'items[][price]=price_1'],
  ['elements with a gap', 'expand[0]=charge&expand[2]=payment_intent'],
  ['elements partly numbered', 'expand[]=charge&expand[0]=payment_intent'],
] as const

describe('a form is refused as malformed', () => {
  it.each(MALFORMED)('with %s', (_, form) => {
    expect(parseForm(form, operation('create_refund'))).toMatchObject({ refused: true, code: 'malformed_request' })
  })

  it('with bytes that are not UTF-8', () => {
    expect(parseForm(Buffer.from([0x61, 0x3d, 0xff]), operation('create_refund'))).toMatchObject({
      code: 'malformed_request',
    })
  })
})

const NO_FIT = [
  ['amount[]=1', 'create_refund'],
  ['amount[0]=1', 'create_refund'],
  ['amount[value]=1', 'create_refund'],
  ['expand=charge', 'create_refund'],
  ['expand[a]=charge', 'create_refund'],
  ['metadata[]=a', 'create_refund'],
  ['metadata[a][b]=c', 'create_refund'],
  ['amount=1e3', 'create_refund'],
  ['amount=0x10', 'create_refund'],
  ['amount=NaN', 'create_refund'],
  ['amount=-5', 'create_refund'],
  ['amount=0', 'create_refund'],
  ['amount=-0', 'create_refund'],
  ['amount=05', 'create_refund'],
  ['amount=%2B5', 'create_refund'],
  ['amount=5000.5', 'create_refund'],
  ['amount=5000.0', 'create_refund'],
  ['amount=+5', 'create_refund'],
  ['amount=%205', 'create_refund'],
  ['amount=5%0a', 'create_refund'],
  ['amount=%D9%A5%D9%A0', 'create_refund'],
  ['amount=%EF%BC%95', 'create_refund'],
  ['amount=9007199254740993', 'create_refund'],
  ['amount=', 'create_refund'],
  ['refund_application_fee=1', 'create_refund'],
  ['refund_application_fee=TRUE', 'create_refund'],
  ['toString=1', 'create_refund'],
  ['_method=DELETE', 'create_refund'],
  ['items[0][price][x]=1', 'create_subscription'],
] as const

describe('a form that does not fit its operation is refused', () => {
  it.each(NO_FIT)('%s on %s', (form, name) => {
    const params = parseForm(form, operation(name))
    const refusal = 'refused' in params ? params : catalogue.validate(operation(name), params)
    expect(refusal).toMatchObject({ refused: true, code: 'invalid_params' })
  })

  it('a param of the path, sent in the form as well', () => {
    expect(parseForm('intent=pi_2', operation('capture_payment_intent'), { intent: 'pi_1' })).toMatchObject({
      code: 'invalid_params',
    })
  })
})

describe('a form beyond the limits is refused as too large', () => {
  it.each([
    ['10,000 params', Array.from({ length: 10_000 }, (_, index) => `metadata[k${index}]=v`).join('&')],
    ['a depth of 1,000', `metadata${'[a]'.repeat(1000)}=1`],
  ])('%s', (_, form) => {
    expect(parseForm(form, operation('create_refund'))).toMatchObject({ code: 'request_too_large' })
  })
})

/** Text without what both sides refuse; names without brackets, as Stripe's own keys. */
const text = fc.string({ unit: 'grapheme-composite', minLength: 1, maxLength: 20 })
const names = text.filter((name) => !/[[\]]/.test(name) && !['__proto__', 'constructor', 'prototype'].includes(name))
const metadata = fc.dictionary(names, text, { minKeys: 1, maxKeys: 5, noNullPrototype: true })
const item = fc.record(
  { price: text, quantity: fc.nat(), metadata, tax_rates: fc.array(text, { minLength: 1, maxLength: 3 }) },
  { requiredKeys: ['price'], noNullPrototype: true },
)
const subscription = fc.record(
  {
    customer: text,
    currency: fc.constantFrom('usd', 'jpy', 'bhd'),
    cancel_at_period_end: fc.boolean(),
    days_until_due: fc.integer({ min: -1000, max: 1000 }),
    application_fee_percent: fc.integer({ min: 1, max: 9999 }).map((hundredths) => hundredths / 100),
    trial_end: fc.oneof(fc.constant('now'), fc.nat()),
    description: fc.oneof(text, fc.constant('')),
    items: fc.array(item, { minLength: 1, maxLength: 12 }),
    expand: fc.array(text, { minLength: 1, maxLength: 3 }),
    metadata,
    trial_settings: fc.record(
      {
        end_behavior: fc.record(
          { missing_payment_method: fc.constantFrom('cancel', 'pause') },
          { noNullPrototype: true },
        ),
      },
      { noNullPrototype: true },
    ),
  },
  { requiredKeys: [], noNullPrototype: true },
)

describe("a form that Stripe's own SDK sent", () => {
  let server: Server
  let stripe: Stripe
  let received = ''

  beforeAll(async () => {
    server = createHttpServer((request, response) => {
      let body = ''
      request.setEncoding('utf8')
      request.on('data', (chunk: string) => {
        body += chunk
      })
      request.on('end', () => {
        received = body || (request.url!.split('?')[1] ?? '')
        response.setHeader('content-type', 'application/json').end('{"id":"x_1","object":"list","data":[]}')
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    stripe = new Stripe('sk_test_local', { host: '127.0.0.1', port, protocol: 'http', telemetry: false })
  })

  afterAll(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  it('is read as the tree that was given to it, whatever the tree', async () => {
    await fc.assert(
      fc.asyncProperty(subscription, async (params) => {
        await stripe.subscriptions.create(params as Stripe.SubscriptionCreateParams)
        expect(parseForm(received, operation('create_subscription'))).toEqual(params)
      }),
      { numRuns: 200 },
    )
  })

  it('is read for a list with a time range', async () => {
    const params = { created: { gte: 1, lt: 2 }, limit: 5, expand: ['data.customer'] } satisfies JsonObject
    await stripe.charges.list(params)
    expect(parseForm(received, operation('list_charges'))).toEqual(params)
  })
})
