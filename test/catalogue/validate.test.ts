import { describe, expect, it } from 'vitest'
import { isRefusal } from '../../src/model/refusal.ts'
import { catalogue, operation, valid } from './stripe.ts'

const PASSING = [
  ['create_refund', { charge: 'ch_1', amount: 5000 }],
  ['create_refund', { payment_intent: 'pi_1', metadata: { order: '7' }, reason: 'requested_by_customer' }],
  ['create_refund', { charge: 'ch_1', expand: ['charge', 'charge.customer', 'payment_intent.latest_charge'] }],
  ['list_charges', { created: { gte: 1 }, limit: 10, expand: ['data.customer', 'data.balance_transaction'] }],
  ['list_charges', { created: 1 }],
  ['search_charges', { query: "amount>999 AND metadata['order']:'7'", expand: ['data.customer'] }],
  ['retrieve_charge', { charge: 'ch_1', expand: ['refunds.data.balance_transaction'] }],
  ['update_customer', { customer: 'cus_1', description: '', metadata: '' }],
  ['create_subscription', { customer: 'cus_1', items: [{ price: 'price_1', quantity: 0 }], trial_end: 'now' }],
  ['create_customer_balance_transaction', { customer: 'cus_1', amount: -500, currency: 'usd' }],
  ['create_plan', { amount: 0, currency: 'usd', interval: 'month' }],
  ['create_payment_intent', { amount: 1, currency: 'jpy', payment_method_types: ['card'] }],
  ['create_payment_intent', { amount: 1000, currency: 'bhd', automatic_payment_methods: { enabled: true } }],
] as const

describe('params that fit', () => {
  it.each(PASSING)('%s %j pass as they are', (name, params) => {
    expect(catalogue.validate(operation(name), params)).toEqual(params)
  })
})

const NORMALISED = [
  ['an upper-case currency', 'create_payment_intent', { amount: 1, currency: 'USD' }, { amount: 1, currency: 'usd' }],
  [
    'a currency inside a list',
    'create_subscription',
    {
      customer: 'cus_1',
      items: [{ price_data: { currency: 'EUR', product: 'prod_1', recurring: { interval: 'month' } } }],
    },
    {
      customer: 'cus_1',
      items: [{ price_data: { currency: 'eur', product: 'prod_1', recurring: { interval: 'month' } } }],
    },
  ],
  ['text in NFD', 'create_customer', { name: 'Zoe\u0308' }, { name: 'Zo\u00eb' }],
  ['a name in NFD', 'create_customer', { metadata: { 'e\u0301': 'x' } }, { metadata: { '\u00e9': 'x' } }],
] as const

describe('params are brought into one form', () => {
  it.each(NORMALISED)('%s', (_, name, params, form) => {
    expect(catalogue.validate(operation(name), params)).toEqual(form)
  })

  it('without touching what was given', () => {
    const params = { amount: 1, currency: 'USD' }
    valid('create_payment_intent', params)
    expect(params.currency).toBe('USD')
  })
})

const nested = (levels: number): object => (levels ? { a: nested(levels - 1) } : {})

const REFUSED = [
  ['create_refund', { charge: 'ch_1', amount: '5000' }, 'The param amount must be an integer; "5000" was sent.'],
  ['create_refund', { charge: 'ch_1', amount: 5000.5 }, 'The param amount must be an integer; 5000.5 was sent.'],
  ['create_refund', { amount: 0 }, 'The param amount must be an integer of at least 1, in minor units; 0 was sent.'],
  ['create_refund', { amount: -5 }, 'The param amount must be an integer of at least 1, in minor units; -5 was sent.'],
  ['create_refund', { amount: Number.NaN }, 'The param amount is no number that can be sent exactly.'],
  ['create_refund', { amount: 2 ** 53 }, 'The param amount is no number that can be sent exactly.'],
  ['create_refund', { amount: -0 }, 'The param amount is no number that can be sent exactly.'],
  ['create_refund', { amount: null }, 'The param amount must be an integer; null was sent.'],
  ['create_refund', { amount: [1] }, 'The param amount must be an integer; a list was sent.'],
  ['create_refund', { amount: { value: 1 } }, 'The param amount must be an integer; an object was sent.'],
  ['create_refund', { amont: 5 }, 'The operation create_refund has no param "amont"; did you mean amount?'],
  ['create_refund', { toString: 'x' }, 'The operation create_refund has no param "toString".'],
  ['create_refund', { _method: 'DELETE' }, 'The operation create_refund has no param "_method".'],
  [
    'create_refund',
    { reason: 'because' },
    'The param reason must be one of duplicate, fraudulent, requested_by_customer; "because" was sent.',
  ],
  ['create_refund', { metadata: { a: 1 } }, 'The param metadata.a must be a string; 1 was sent.'],
  ['create_refund', { metadata: 'a' }, 'The param metadata must be an object or an empty string; "a" was sent.'],
  ['create_refund', { charge: 'x'.repeat(5001) }, 'The param charge is longer than 5000 characters.'],
  [
    'create_refund',
    { charge: 'ch_1/../../accounts' },
    'The param charge is not an id: letters, digits, _ - and . only.',
  ],
  ['create_refund', { charge: '..' }, 'The param charge is not an id: letters, digits, _ - and . only.'],
  ['create_refund', { expand: ['nothing'] }, 'The param expand names "nothing", which create_refund does not expand.'],
  [
    'create_refund',
    { expand: ['__proto__'] },
    'The param expand names "__proto__", which create_refund does not expand.',
  ],
  [
    'create_refund',
    { expand: ['charge.payment_intent.latest_charge.payment_intent.latest_charge'] },
    'The param expand names a string, which create_refund does not expand.',
  ],
  ['list_charges', { expand: ['customer'] }, 'The param expand names "customer", which list_charges does not expand.'],
  [
    'retrieve_card',
    { card: 'ic_1', expand: ['number'] },
    'The param expand names "number", which retrieve_card does not expand.',
  ],
  ['create_refund', { charge: 'ch\0' }, 'The param charge has a NUL character.'],
  ['create_refund', { charge: 'ch\u001b[2J' }, 'The param charge has a control character.'],
  ['create_refund', { charge: 'ch\ud83d' }, 'The param charge has half of a surrogate pair.'],
  ['create_refund', { metadata: { 'a\0': 'x' } }, 'The name "a\\u0000" in metadata has a NUL character.'],
  ['create_refund', { metadata: { constructor: 'x' } }, 'The name "constructor" in metadata is no name of a param.'],
  [
    'create_refund',
    JSON.parse('{"metadata":{"__proto__":"x"}}'),
    'The name "__proto__" in metadata is no name of a param.',
  ],
  ['create_refund', { amount: undefined }, 'The param amount is missing its value.'],
  ['create_refund', [], 'The params of create_refund must be an object; a list was sent.'],
  ['create_refund', 'amount=1', 'The params of create_refund must be an object; a string was sent.'],
  ['create_refund', null, 'The params of create_refund must be an object; null was sent.'],
  [
    'create_payment_intent',
    { currency: 'usd' },
    'The operation create_payment_intent needs the param amount, and it is missing.',
  ],
  [
    'create_payment_intent',
    { amount: 1, currency: 'xyz' },
    'The param currency must be an ISO 4217 currency; "xyz" was sent.',
  ],
  [
    'create_payment_intent',
    { amount: 1, currency: 'ｕｓｄ' },
    'The param currency must be an ISO 4217 currency; a string was sent.',
  ],
  [
    'create_payment_intent',
    { amount: 1, currency: 'usd', payment_method_options: { card: { colour: 'red' } } },
    'The param payment_method_options.card has no param "colour".',
  ],
  [
    'create_subscription',
    { customer: 'cus_1', items: [{ price: 'price/1' }] },
    'The param items.*.price is not an id: letters, digits, _ - and . only.',
  ],
  ['retrieve_charge', {}, 'The operation retrieve_charge needs the param charge, and it is missing.'],
  ['retrieve_charge', { charge: '' }, 'The param charge is not an id: letters, digits, _ - and . only.'],
  ['retrieve_charge', { charge: 'ch_1?expand' }, 'The param charge is not an id: letters, digits, _ - and . only.'],
  ['list_charges', { created: { gte: 'x' } }, 'The param created.gte must be an integer; "x" was sent.'],
  ['list_charges', { created: true }, 'The param created must be an object or an integer; true was sent.'],
  [
    'create_file',
    { file: 'x', purpose: 'business_logo' },
    'create_file cannot be called through the gateway: a file travels as multipart/form-data, which the gateway does not forward.',
  ],
] as const

describe('params that do not fit are refused with invalid_params', () => {
  it.each(REFUSED)('%s %j: %s', (name, params, detail) => {
    expect(catalogue.validate(operation(name), params)).toMatchObject({ code: 'invalid_params', detail })
  })
})

describe('params beyond the limits are refused with request_too_large', () => {
  it.each([
    ['a depth of 1,000', nested(1000)],
    ['10,000 params', Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`p${index}`, 1]))],
  ])('%s', (_, metadata) => {
    expect(catalogue.validate(operation('create_refund'), { metadata })).toMatchObject({ code: 'request_too_large' })
  })
})

const SECRETS = [
  ['create_token', { card: { number: 4242424242424242, cvc: '123', exp_month: '1', exp_year: '2030' } }],
  ['create_token', { card: { number: '4242424242424242', cvc: 123, exp_month: '1', exp_year: '2030' } }],
  ['create_customer', { balance: 'sk_live_abcdefghijkl' }],
  ['create_customer', { balance: '4242 4242 4242 4242' }],
] as const

describe('a refusal never repeats a secret', () => {
  it.each(SECRETS)('%s %j', (name, params) => {
    const refusal = catalogue.validate(operation(name), params)
    expect(isRefusal(refusal)).toBe(true)
    expect(JSON.stringify(refusal)).not.toMatch(/4242|123|sk_live/)
  })
})

const GUARDED = [
  [
    'create_payment_intent',
    { amount: 1, currency: 'usd', on_behalf_of: 'acct_1', transfer_data: { destination: 'acct_1' } },
    ['on_behalf_of', 'transfer_data'],
  ],
  [
    'create_checkout_session',
    { mode: 'payment', payment_intent_data: { description: 'x', transfer_data: { destination: 'acct_1' } } },
    ['payment_intent_data.transfer_data'],
  ],
  [
    'create_subscription_schedule',
    { customer: 'cus_1', phases: [{ items: [{ price: 'price_1' }] }, { items: [], on_behalf_of: 'acct_1' }] },
    ['phases.1.on_behalf_of'],
  ],
  ['create_charge', { amount: 1, currency: 'usd', destination: 'acct_1' }, ['destination']],
  ['create_transfer', { amount: 1, currency: 'usd', destination: 'acct_1' }, []],
  ['create_payment_intent', { amount: 1, currency: 'usd', metadata: { note: 'on_behalf_of' } }, []],
] as const

describe('params that send money elsewhere are named for policy', () => {
  it.each(GUARDED)('%s %j: %j', (name, params, guarded) => {
    expect(catalogue.guarded(operation(name), valid(name, params))).toEqual(guarded)
  })
})
