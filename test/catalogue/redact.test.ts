import { describe, expect, it } from 'vitest'
import { redactText } from '../../src/catalogue/index.ts'
import { catalogue, operation } from './stripe.ts'

const R = '[redacted]'

const CASES = [
  [
    'a card',
    'create_token',
    { card: { number: '4242424242424242', cvc: '123', exp_month: 1, name: 'Zoë' } },
    { card: { number: R, cvc: R, exp_month: 1, name: 'Zoë' } },
  ],
  [
    'a bank account deep inside',
    'create_account',
    { external_account: { account_number: '000123456789', routing_number: '110000000', country: 'US' } },
    { external_account: { account_number: R, routing_number: R, country: 'US' } },
  ],
  [
    'what identifies a person',
    'create_person',
    {
      account: 'acct_1',
      email: 'a@b.example',
      phone: '1',
      dob: { day: 1 },
      id_number: '9',
      relationship: { title: 'CEO' },
    },
    { account: 'acct_1', email: R, phone: R, dob: R, id_number: R, relationship: { title: 'CEO' } },
  ],
  [
    'a client secret in an answer',
    'create_payment_intent',
    { id: 'pi_1', client_secret: 'x' },
    { id: 'pi_1', client_secret: R },
  ],
  [
    'client secrets in a list',
    'list_payment_intents',
    { data: [{ client_secret: 'x' }] },
    { data: [{ client_secret: R }] },
  ],
  [
    'a number of an issued card',
    'retrieve_card',
    { id: 'ic_1', number: '4000009990000013', last4: '0013' },
    { id: 'ic_1', number: R, last4: '0013' },
  ],
  ["an invoice's number stays", 'retrieve_invoice', { number: 'A-1' }, { number: 'A-1' }],
  ['the secret of a webhook endpoint', 'create_webhook_endpoint', { secret: 'whsec_1' }, { secret: R }],
  ['a link that logs in', 'create_account_link', { url: 'https://example.com/x' }, { url: R }],
  ['a refund stays as it is', 'create_refund', { charge: 'ch_1', amount: 500 }, { charge: 'ch_1', amount: 500 }],
] as const

describe('a copy for the audit line', () => {
  it.each(CASES)('is without %s', (_, name, json, copy) => {
    expect(catalogue.redact(operation(name), json)).toEqual(copy)
  })

  it('is without what policy names', () => {
    const copy = catalogue.redact(operation('create_customer'), { name: 'Zoë', metadata: { a: 'b', c: 'd' } }, [
      'name',
      'metadata.*',
    ])
    expect(copy).toEqual({ name: R, metadata: { a: R, c: R } })
  })

  it('leaves what was given alone', () => {
    const json = { card: { number: '4242424242424242' } }
    catalogue.redact(operation('create_token'), json)
    expect(json.card.number).toBe('4242424242424242')
  })
})

const TEXTS = [
  ['a live key', 'use sk_live_51HabcdEFGH please', `use ${R} please`],
  ['a live key glued to another word', 'ch_sk_live_51HabcdEFGH', `ch_${R}`],
  ['a test key', 'sk_test_51HabcdEFGH', R],
  ['a restricted key', 'rk_live_51HabcdEFGH', R],
  ['a signing secret', 'whsec_abcdefghijk', R],
  ['a client secret', 'pi_3Nabc_secret_XYZ123', R],
  ['a vault key', 'cs_0123456789abcdefghij', R],
  ['the id of a checkout session stays', 'cs_test_a1B2c3D4e5F6g7H8i9J0', 'cs_test_a1B2c3D4e5F6g7H8i9J0'],
  ['a card number', '4242424242424242', R],
  ['a card number with spaces', 'pay 4242 4242 4242 4242 now', `pay ${R} now`],
  ['a card number with dashes', '3782-822463-10005', R],
  ['a long number that is no card', '4242424242424243', '4242424242424243'],
  ['an id', 'ch_3NabcDEFghiJKLmno', 'ch_3NabcDEFghiJKLmno'],
  ['plain text', 'order 4242 for Zoë', 'order 4242 for Zoë'],
] as const

describe('text anywhere', () => {
  it.each(TEXTS)('with %s', (_, text, shown) => {
    expect(redactText(text)).toBe(shown)
    expect(catalogue.redact(operation('create_refund'), { metadata: { note: text } })).toEqual({
      metadata: { note: shown },
    })
  })

  it('with a secret as a name', () => {
    expect(catalogue.redact(operation('create_refund'), { metadata: { sk_live_51HabcdEFGH: 'x' } })).toEqual({
      metadata: { [R]: 'x' },
    })
  })

  it('with a card number as a number', () => {
    expect(catalogue.redact(operation('create_refund'), { metadata: 4242424242424242 })).toEqual({ metadata: R })
  })
})
