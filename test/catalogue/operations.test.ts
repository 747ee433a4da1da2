import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { isRefusal } from '../../src/model/refusal.ts'
import { catalogue, operation } from './stripe.ts'

const operations = catalogue.operations('stripe')

describe('the operations of Stripe', () => {
  it('are all 594 of the API version, by method', () => {
    const count = (method: string): number => operations.filter((each) => each.method === method).length
    expect(catalogue.provider('stripe')?.api_version).toBe('2026-08-26.dahlia')
    expect([operations.length, count('GET'), count('POST'), count('DELETE')]).toEqual([594, 265, 297, 32])
  })

  it('have names and aliases that no two share', () => {
    const names = operations.flatMap(({ name, aliases }) => [name, ...aliases])
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => !/^[a-z][a-z0-9_]*$/.test(name))).toEqual([])
  })

  it('are each at one method and path', () => {
    expect(new Set(operations.map(({ method, path }) => `${method} ${path}`)).size).toBe(594)
  })

  it('are each in a group that the catalogue describes', () => {
    const known = new Set(catalogue.provider('stripe')!.groups.map(({ group }) => group))
    expect(operations.filter(({ group }) => !known.has(group)).map(({ name }) => name)).toEqual([])
    const used = new Set(operations.map(({ group }) => group))
    expect([...known].filter((group) => !used.has(group))).toEqual([])
  })

  it('are reads in the group read exactly where they are GET', () => {
    const wrong = operations.filter(
      ({ method, effect, group }) =>
        (effect === 'read') !== (method === 'GET') || (group === 'read') !== (effect === 'read'),
    )
    expect(wrong.map(({ name }) => name)).toEqual([])
  })

  it('list every param of their path as a required param', () => {
    const wrong = operations.filter(({ pathParams, params }) =>
      pathParams.some((name) => !(params.required as string[] | undefined)?.includes(name)),
    )
    expect(wrong.map(({ name }) => name)).toEqual([])
  })

  it('have params in valid JSON Schema 2020-12', () => {
    const ajv = new Ajv2020()
    expect(operations.filter(({ params }) => !ajv.validateSchema(params)).map(({ name }) => name)).toEqual([])
  })

  it('take no param that the schema does not list', () => {
    expect(operations.filter(({ params }) => params.additionalProperties !== false)).toEqual([])
  })
})

const NAMES = [
  ['create_refund', 'POST', '/v1/refunds', 'payments.refund', 'stripe:refunds:create', 'stripe.com/v1/refunds'],
  ['list_customers', 'GET', '/v1/customers', 'read', 'stripe:customers:read', 'stripe.com/v1/customers'],
  ['retrieve_charge', 'GET', '/v1/charges/{charge}', 'read', 'stripe:charges:read', 'stripe.com/v1/charges'],
  ['get_charge', 'GET', '/v1/charges/{charge}', 'read', 'stripe:charges:read', 'stripe.com/v1/charges'],
  ['get_invoice', 'GET', '/v1/invoices/{invoice}', 'read', 'stripe:invoices:read', 'stripe.com/v1/invoices'],
  [
    'create_payment_intent',
    'POST',
    '/v1/payment_intents',
    'payments.create',
    'stripe:payment_intents:create',
    'stripe.com/v1/payment_intents',
  ],
  [
    'cancel_payment_intent',
    'POST',
    '/v1/payment_intents/{intent}/cancel',
    'payments.cancel',
    'stripe:payment_intents:cancel',
    'stripe.com/v1/payment_intents',
  ],
  ['create_charge', 'POST', '/v1/charges', 'payments.create', 'stripe:charges:create', 'stripe.com/v1/charges'],
  [
    'create_subscription',
    'POST',
    '/v1/subscriptions',
    'subscriptions.write',
    'stripe:subscriptions:create',
    'stripe.com/v1/subscriptions',
  ],
  [
    'cancel_subscription',
    'DELETE',
    '/v1/subscriptions/{subscription_exposed_id}',
    'subscriptions.write',
    'stripe:subscriptions:cancel',
    'stripe.com/v1/subscriptions',
  ],
  ['create_account', 'POST', '/v1/accounts', 'connect.onboard', 'stripe:accounts:create', 'stripe.com/v1/accounts'],
  [
    'create_account_link',
    'POST',
    '/v1/account_links',
    'connect.onboard',
    'stripe:account_links:create',
    'stripe.com/v1/account_links',
  ],
  [
    'create_card',
    'POST',
    '/v1/issuing/cards',
    'issuing.create',
    'stripe:issuing.cards:create',
    'stripe.com/v1/issuing/cards',
  ],
  [
    'create_issuing_card',
    'POST',
    '/v1/issuing/cards',
    'issuing.create',
    'stripe:issuing.cards:create',
    'stripe.com/v1/issuing/cards',
  ],
  [
    'approve_authorization',
    'POST',
    '/v1/issuing/authorizations/{authorization}/approve',
    'issuing.authorize',
    'stripe:issuing.authorizations:approve',
    'stripe.com/v1/issuing/authorizations',
  ],
  [
    'approve_issuing_authorization',
    'POST',
    '/v1/issuing/authorizations/{authorization}/approve',
    'issuing.authorize',
    'stripe:issuing.authorizations:approve',
    'stripe.com/v1/issuing/authorizations',
  ],
  [
    'test_expire_refund',
    'POST',
    '/v1/test_helpers/refunds/{refund}/expire',
    'test.write',
    'stripe:test_helpers.refunds:expire',
    'stripe.com/v1/test_helpers/refunds',
  ],
] as const

describe('an operation by its name', () => {
  it.each(NAMES)('%s is %s %s in the group %s', (name, method, path, group, action, resource) => {
    expect(operation(name)).toMatchObject({ method, path, group, action, resource })
  })

  it('is of its provider only', () => {
    expect(catalogue.resolve('nobody', 'create_refund')).toMatchObject({
      code: 'unknown_provider',
      detail: 'There is no provider "nobody"; there are: stripe.',
    })
  })

  it.each([
    ['create_refnud', 'stripe has no operation "create_refnud"; did you mean create_refund?'],
    ['list_customer', 'stripe has no operation "list_customer"; did you mean list_customers?'],
    ['drop_all_tables', 'stripe has no operation "drop_all_tables".'],
    ['__proto__', 'stripe has no operation "__proto__".'],
    ['', 'stripe has no operation "".'],
  ])('is refused where it is unknown: %s', (name, detail) => {
    const refusal = catalogue.resolve('stripe', name)
    expect(isRefusal(refusal) && [refusal.code, refusal.detail]).toEqual(['unknown_operation', detail])
  })
})
