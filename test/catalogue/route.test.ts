import { describe, expect, it } from 'vitest'
import { catalogue } from './stripe.ts'

const ROUTES = [
  ['POST', '/v1/refunds', 'create_refund', {}],
  ['GET', '/v1/charges/ch_123', 'retrieve_charge', { charge: 'ch_123' }],
  ['GET', '/v1/charges/search', 'search_charges', {}],
  ['GET', '/v1/charges/search?query=a%20b', 'search_charges', {}],
  ['POST', '/v1/payment_intents/pi_1/capture', 'capture_payment_intent', { intent: 'pi_1' }],
  ['DELETE', '/v1/subscriptions/sub_1', 'cancel_subscription', { subscription_exposed_id: 'sub_1' }],
  ['POST', '/v1/subscriptions/sub_1/resume', 'resume_subscription', { subscription: 'sub_1' }],
  ['GET', '/v1/transfers/tr_1/reversals', 'list_transfer_reversals', { id: 'tr_1' }],
  ['GET', '/v1/transfers/tr_1/reversals/trr_1', 'retrieve_transfer_reversal', { transfer: 'tr_1', id: 'trr_1' }],
  ['GET', '/v1/coupons/25.5-OFF', 'retrieve_coupon', { coupon: '25.5-OFF' }],
] as const

describe('a route of the catalogue', () => {
  it.each(ROUTES)('%s %s is %s', (method, path, name, pathParams) => {
    const found = catalogue.resolveRoute('stripe', method, path)
    expect('operation' in found && [found.operation.name, found.pathParams]).toEqual([name, pathParams])
  })

  it('is found for every operation, by its own template', () => {
    const lost = catalogue.operations('stripe').filter(({ name, method, path }) => {
      const found = catalogue.resolveRoute('stripe', method, path.replaceAll(/\{[^}]+\}/g, 'id_1'))
      return !('operation' in found) || found.operation.name !== name
    })
    expect(lost.map(({ name }) => name)).toEqual([])
  })
})

const BAD_PATHS = [
  ['an encoded dot segment', '/v1/%2e%2e/charges'],
  ['a dot segment', '/v1/../v1/charges'],
  ['a single dot segment', '/v1/./charges'],
  ['a dot segment at the end', '/v1/charges/..'],
  ['a backslash', '/v1\\..\\charges'],
  ['an encoded slash', '/v1/charges%2fch_1'],
  ['a slash encoded twice', '/v1/charges/%252f'],
  ['a doubled slash at the start', '//evil.example/v1/charges'],
  ['a doubled slash within', '/v1//charges'],
  ['a slash and a backslash', '/\\evil.example'],
  ['an encoded letter', '/v1/%63harges'],
  ['an absolute form', 'https://evil.example/v1/charges'],
  ['a fragment', '/v1/charges#x'],
  ['a NUL', '/v1/charges\0'],
  ['a space', '/v1/charges/ch 1'],
  ['full-width letters', '/v1/ｃharges'],
  ['an id with a colon', '/v1/charges/ch:1'],
  ['an empty path', ''],
  ['too much', `/v1/charges/${'a'.repeat(3000)}`],
  ['an id that is too long', `/v1/charges/${'a'.repeat(300)}`],
] as const

describe('a path that is not in plain form is refused with bad_path', () => {
  it.each(BAD_PATHS)('%s', (_, path) => {
    expect(catalogue.resolveRoute('stripe', 'GET', path)).toMatchObject({ refused: true, code: 'bad_path' })
  })
})

const UNLISTED = [
  ['a path of another version', 'GET', '/v2/charges', 'No operation of stripe has this path.'],
  ['a path that does not exist', 'GET', '/v1/secrets', 'No operation of stripe has this path.'],
  ['a template written out', 'GET', '/v1', 'No operation of stripe has this path.'],
  [
    'a method that the path does not take',
    'PATCH',
    '/v1/charges',
    'No operation of stripe has this path with PATCH; it takes GET, POST.',
  ],
  [
    'a method in lower case',
    'get',
    '/v1/charges',
    'No operation of stripe has this path with get; it takes GET, POST.',
  ],
  ['a trailing slash', 'GET', '/v1/charges/ch_1/dispute/', 'No operation of stripe has this path.'],
] as const

describe('a route outside the catalogue is refused with unknown_operation', () => {
  it.each(UNLISTED)('%s', (_, method, path, detail) => {
    expect(catalogue.resolveRoute('stripe', method, path)).toMatchObject({ code: 'unknown_operation', detail })
  })

  it('a provider that is not there', () => {
    expect(catalogue.resolveRoute('nobody', 'GET', '/v1/charges')).toMatchObject({ code: 'unknown_provider' })
  })
})
