import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/model/operation.ts'
import { catalogue, operation, valid } from './stripe.ts'

/** What the provider would answer, by path. */
const UPSTREAM: Readonly<Record<string, JsonObject>> = {
  '/v1/charges/ch_1': { id: 'ch_1', amount: 9000, amount_refunded: 1000, currency: 'usd', customer: 'cus_1' },
  '/v1/charges/ch_done': { id: 'ch_done', amount: 9000, amount_refunded: 9000, currency: 'usd', customer: 'cus_1' },
  '/v1/charges/ch_guest': { id: 'ch_guest', amount: 9000, amount_refunded: 0, currency: 'usd', customer: null },
  '/v1/payment_intents/pi_1': {
    id: 'pi_1',
    amount: 9000,
    amount_capturable: 7000,
    currency: 'eur',
    customer: 'cus_2',
    latest_charge: 'ch_1',
  },
  '/v1/payment_intents/pi_new': { id: 'pi_new', amount: 9000, currency: 'eur', customer: null, latest_charge: null },
  '/v1/payment_intents/pi_bent': { id: 'pi_bent', amount: 1, currency: 'eur', latest_charge: '../accounts' },
  '/v1/refunds/re_1': { id: 're_1', charge: 'ch_1' },
  '/v1/prices/price_10': { id: 'price_10', unit_amount: 1000, currency: 'usd' },
  '/v1/prices/price_5': { id: 'price_5', unit_amount: 500, currency: 'usd' },
  '/v1/prices/price_eur': { id: 'price_eur', unit_amount: 500, currency: 'eur' },
  '/v1/prices/price_tiers': { id: 'price_tiers', unit_amount: null, currency: 'usd' },
  '/v1/subscriptions/sub_1': {
    id: 'sub_1',
    customer: { id: 'cus_3', object: 'customer' },
    currency: 'usd',
    items: { data: [{ id: 'si_1', quantity: 3, price: { id: 'price_10', unit_amount: 1000, currency: 'usd' } }] },
  },
  '/v1/subscription_items/si_1': {
    id: 'si_1',
    subscription: 'sub_1',
    quantity: 3,
    price: { id: 'price_10', unit_amount: 1000, currency: 'usd' },
  },
  '/v1/invoices/in_1': { id: 'in_1', amount_remaining: 4200, currency: 'usd', customer: 'cus_4' },
  '/v1/quotes/qt_1': { id: 'qt_1', amount_total: 300, currency: 'usd', customer: 'cus_5' },
  '/v1/application_fees/fee_1': { id: 'fee_1', amount: 100, amount_refunded: 40, currency: 'usd' },
  '/v1/transfers/tr_1': { id: 'tr_1', amount: 100, amount_reversed: 0, currency: 'usd' },
  '/v1/payouts/po_1': { id: 'po_1', amount: 70, currency: 'usd' },
  '/v1/issuing/authorizations/iauth_1': {
    id: 'iauth_1',
    amount: 0,
    currency: 'usd',
    pending_request: { amount: 350, currency: 'usd' },
  },
}

/** Enriches as the path of a call does, and says what it read. */
function enrich(name: string, sent: JsonObject) {
  const params = valid(name, sent)
  const objects: Record<string, JsonObject> = {}
  const read: string[] = []
  for (;;) {
    const lookup = catalogue.nextLookup(operation(name), params, objects)
    if (!lookup) return { read, facts: catalogue.facts(operation(name), params, objects) }
    read.push(lookup.path)
    objects[lookup.as] = UPSTREAM[lookup.path] ?? {}
    if (read.length > 20) throw new Error(`reads without end: ${read.join(' ')}`)
  }
}

const usd = (value: number) => ({ value, currency: 'usd' })
const eur = (value: number) => ({ value, currency: 'eur' })

const CASES = [
  [
    'a refund of a part of a charge',
    'create_refund',
    { charge: 'ch_1', amount: 500 },
    ['/v1/charges/ch_1'],
    { amount: usd(500), customer: 'cus_1' },
  ],
  [
    'a refund of all that remains',
    'create_refund',
    { charge: 'ch_1' },
    ['/v1/charges/ch_1'],
    { amount: usd(8000), customer: 'cus_1' },
  ],
  [
    'a refund of what is refunded already',
    'create_refund',
    { charge: 'ch_done' },
    ['/v1/charges/ch_done'],
    { amount: usd(0), customer: 'cus_1' },
  ],
  [
    "a refund whose params contradict the charge's currency and customer",
    'create_refund',
    { charge: 'ch_1', amount: 500, currency: 'jpy', customer: 'cus_other' },
    ['/v1/charges/ch_1'],
    { amount: usd(500), customer: 'cus_1' },
  ],
  [
    "a refund of a guest's charge that is claimed to be a customer's",
    'create_refund',
    { charge: 'ch_guest', amount: 500, customer: 'cus_1' },
    ['/v1/charges/ch_guest'],
    { amount: usd(500) },
  ],
  [
    "another customer's intent that is claimed to be one's own",
    'update_payment_intent',
    { intent: 'pi_1', customer: 'cus_1' },
    ['/v1/payment_intents/pi_1'],
    { customer: 'cus_2' },
  ],
  [
    'a refund by payment intent',
    'create_refund',
    { payment_intent: 'pi_1', amount: 500 },
    ['/v1/payment_intents/pi_1'],
    { amount: eur(500), customer: 'cus_2' },
  ],
  [
    'a refund of all that remains, by payment intent',
    'create_refund',
    { payment_intent: 'pi_1' },
    ['/v1/payment_intents/pi_1', '/v1/charges/ch_1'],
    { amount: usd(8000), customer: 'cus_1' },
  ],
  [
    'a refund of an intent without a charge',
    'create_refund',
    { payment_intent: 'pi_new' },
    ['/v1/payment_intents/pi_new'],
    {},
  ],
  [
    'a refund of an intent whose charge is no id',
    'create_refund',
    { payment_intent: 'pi_bent' },
    ['/v1/payment_intents/pi_bent'],
    {},
  ],
  [
    'a refund of a charge that is not there',
    'create_refund',
    { charge: 'ch_x', amount: 500 },
    ['/v1/charges/ch_x'],
    {},
  ],
  ['a refund of nothing', 'create_refund', { amount: 500 }, [], {}],
  [
    'the older form of a refund',
    'refund_charge',
    { charge: 'ch_1' },
    ['/v1/charges/ch_1'],
    { amount: usd(8000), customer: 'cus_1' },
  ],
  [
    'the end of a refund',
    'cancel_refund',
    { refund: 're_1' },
    ['/v1/refunds/re_1', '/v1/charges/ch_1'],
    { customer: 'cus_1' },
  ],
  [
    'a charge',
    'create_charge',
    { amount: 5, currency: 'JPY', customer: 'cus_9' },
    [],
    { amount: { value: 5, currency: 'jpy' }, customer: 'cus_9' },
  ],
  ['a charge without a currency', 'create_charge', { amount: 5 }, [], {}],
  ['a payment intent', 'create_payment_intent', { amount: 5, currency: 'usd' }, [], { amount: usd(5) }],
  [
    'a capture of all',
    'capture_payment_intent',
    { intent: 'pi_1' },
    ['/v1/payment_intents/pi_1'],
    { amount: eur(7000), customer: 'cus_2' },
  ],
  [
    'a capture of a part',
    'capture_payment_intent',
    { intent: 'pi_1', amount_to_capture: 10 },
    ['/v1/payment_intents/pi_1'],
    { amount: eur(10), customer: 'cus_2' },
  ],
  [
    'a confirmation',
    'confirm_payment_intent',
    { intent: 'pi_1' },
    ['/v1/payment_intents/pi_1'],
    { amount: eur(9000), customer: 'cus_2' },
  ],
  ['a cancellation', 'cancel_payment_intent', { intent: 'pi_1' }, ['/v1/payment_intents/pi_1'], { customer: 'cus_2' }],
  [
    'a raised authorization',
    'increment_payment_intent_authorization',
    { intent: 'pi_1', amount: 9500 },
    ['/v1/payment_intents/pi_1'],
    { amount: eur(500), customer: 'cus_2' },
  ],
  [
    'a raise that lowers',
    'increment_payment_intent_authorization',
    { intent: 'pi_1', amount: 100 },
    ['/v1/payment_intents/pi_1'],
    { customer: 'cus_2' },
  ],
  [
    'a subscription of two prices',
    'create_subscription',
    { customer: 'cus_1', items: [{ price: 'price_10', quantity: 2 }, { price: 'price_5' }] },
    ['/v1/prices/price_10', '/v1/prices/price_5'],
    { amount: usd(2500), customer: 'cus_1' },
  ],
  [
    'a subscription of the same price twice',
    'create_subscription',
    { customer: 'cus_1', items: [{ price: 'price_5' }], add_invoice_items: [{ price: 'price_5', quantity: 2 }] },
    ['/v1/prices/price_5'],
    { amount: usd(1500), customer: 'cus_1' },
  ],
  [
    'a subscription with a price of its own',
    'create_subscription',
    {
      customer: 'cus_1',
      items: [
        { price_data: { currency: 'usd', product: 'prod_1', unit_amount: 700, recurring: { interval: 'month' } } },
      ],
    },
    [],
    { amount: usd(700), customer: 'cus_1' },
  ],
  [
    'a subscription with a price below zero',
    'create_subscription',
    {
      customer: 'cus_1',
      items: [
        { price: 'price_10' },
        { price_data: { currency: 'usd', product: 'prod_1', unit_amount: -900, recurring: { interval: 'month' } } },
      ],
    },
    ['/v1/prices/price_10'],
    { customer: 'cus_1' },
  ],
  [
    'a subscription of two currencies',
    'create_subscription',
    { customer: 'cus_1', items: [{ price: 'price_5' }, { price: 'price_eur' }] },
    ['/v1/prices/price_5', '/v1/prices/price_eur'],
    { customer: 'cus_1' },
  ],
  [
    "a subscription in another currency than its price's",
    'create_subscription',
    { customer: 'cus_1', currency: 'eur', items: [{ price: 'price_5' }] },
    ['/v1/prices/price_5'],
    { customer: 'cus_1' },
  ],
  [
    'a subscription with a tiered price',
    'create_subscription',
    { customer: 'cus_1', items: [{ price: 'price_tiers' }] },
    ['/v1/prices/price_tiers'],
    { customer: 'cus_1' },
  ],
  [
    'a subscription of more than can be counted',
    'create_subscription',
    { customer: 'cus_1', items: [{ price: 'price_10', quantity: Number.MAX_SAFE_INTEGER }] },
    ['/v1/prices/price_10'],
    { customer: 'cus_1' },
  ],
  ['a subscription of nothing', 'create_subscription', { customer: 'cus_1' }, [], { customer: 'cus_1' }],
  [
    'a change of quantity',
    'update_subscription',
    { subscription_exposed_id: 'sub_1', items: [{ id: 'si_1', quantity: 5 }] },
    ['/v1/subscriptions/sub_1'],
    { amount: usd(5000), customer: 'cus_3' },
  ],
  [
    'a change of price',
    'update_subscription',
    { subscription_exposed_id: 'sub_1', items: [{ id: 'si_1', price: 'price_5' }] },
    ['/v1/subscriptions/sub_1', '/v1/prices/price_5'],
    { amount: usd(1500), customer: 'cus_3' },
  ],
  [
    'a new item beside the old one',
    'update_subscription',
    { subscription_exposed_id: 'sub_1', items: [{ price: 'price_5' }] },
    ['/v1/subscriptions/sub_1', '/v1/prices/price_5'],
    { amount: usd(500), customer: 'cus_3' },
  ],
  [
    'a billing period that starts anew',
    'update_subscription',
    { subscription_exposed_id: 'sub_1', billing_cycle_anchor: 'now' },
    ['/v1/subscriptions/sub_1'],
    { amount: usd(3000), customer: 'cus_3' },
  ],
  [
    'a billing period that starts anew, with a new item and another quantity',
    'update_subscription',
    {
      subscription_exposed_id: 'sub_1',
      billing_cycle_anchor: 'now',
      items: [{ id: 'si_1', quantity: 1 }, { price: 'price_5' }],
    },
    ['/v1/subscriptions/sub_1', '/v1/prices/price_5'],
    { amount: usd(1500), customer: 'cus_3' },
  ],
  [
    'an item taken away',
    'update_subscription',
    { subscription_exposed_id: 'sub_1', items: [{ id: 'si_1', deleted: true }] },
    ['/v1/subscriptions/sub_1'],
    { amount: usd(0), customer: 'cus_3' },
  ],
  [
    'a subscription whose description changes',
    'update_subscription',
    { subscription_exposed_id: 'sub_1', description: 'x' },
    ['/v1/subscriptions/sub_1'],
    { amount: usd(0), customer: 'cus_3' },
  ],
  [
    'a subscription that ends',
    'cancel_subscription',
    { subscription_exposed_id: 'sub_1' },
    ['/v1/subscriptions/sub_1'],
    { customer: 'cus_3' },
  ],
  [
    'a subscription that goes on',
    'resume_subscription',
    { subscription: 'sub_1' },
    ['/v1/subscriptions/sub_1'],
    { amount: usd(3000), customer: 'cus_3' },
  ],
  [
    'a new subscription item',
    'create_subscription_item',
    { subscription: 'sub_1', price: 'price_5', quantity: 2 },
    ['/v1/subscriptions/sub_1', '/v1/prices/price_5'],
    { amount: usd(1000), customer: 'cus_3' },
  ],
  [
    'a subscription item with a new price',
    'update_subscription_item',
    { item: 'si_1', price: 'price_5' },
    ['/v1/subscription_items/si_1', '/v1/subscriptions/sub_1', '/v1/prices/price_5'],
    { amount: usd(1500), customer: 'cus_3' },
  ],
  [
    'an invoice that is paid',
    'pay_invoice',
    { invoice: 'in_1' },
    ['/v1/invoices/in_1'],
    { amount: usd(4200), customer: 'cus_4' },
  ],
  [
    'a quote that is accepted',
    'accept_quote',
    { quote: 'qt_1' },
    ['/v1/quotes/qt_1'],
    { amount: usd(300), customer: 'cus_5' },
  ],
  ['a fee given back', 'create_fee_refund', { id: 'fee_1' }, ['/v1/application_fees/fee_1'], { amount: usd(60) }],
  ['a transfer', 'create_transfer', { amount: 9, currency: 'usd', destination: 'acct_1' }, [], { amount: usd(9) }],
  [
    'a transfer of a whole charge',
    'create_transfer',
    { currency: 'usd', destination: 'acct_1', source_transaction: 'ch_1' },
    ['/v1/charges/ch_1'],
    { amount: usd(9000), customer: 'cus_1' },
  ],
  ['a transfer turned back', 'create_transfer_reversal', { id: 'tr_1' }, ['/v1/transfers/tr_1'], { amount: usd(100) }],
  ['a payout', 'create_payout', { amount: 8, currency: 'usd' }, [], { amount: usd(8) }],
  ['a payout turned back', 'reverse_payout', { payout: 'po_1' }, ['/v1/payouts/po_1'], { amount: usd(70) }],
  [
    'a credit to a customer',
    'create_customer_balance_transaction',
    { customer: 'cus_1', amount: -500, currency: 'usd' },
    [],
    { amount: usd(500), customer: 'cus_1' },
  ],
  [
    'a card authorization',
    'approve_authorization',
    { authorization: 'iauth_1' },
    ['/v1/issuing/authorizations/iauth_1'],
    { amount: usd(350) },
  ],
  ['a customer', 'update_customer', { customer: 'cus_1', description: 'x' }, [], { customer: 'cus_1' }],
  ['a read', 'retrieve_charge', { charge: 'ch_1' }, [], {}],
  ["a read of a customer's charges", 'list_charges', { customer: 'cus_1' }, [], { customer: 'cus_1' }],
] as const

describe('what a call is really about', () => {
  it.each(CASES)('%s: %s %j', (_, name, params, read, facts) => {
    expect(enrich(name, params)).toEqual({ read, facts })
  })

  it('is costed for every operation that names its amount as a required param', () => {
    const free = catalogue
      .operations('stripe')
      .filter(({ effect, group, cost, params }) => {
        const required = (params.required ?? []) as readonly string[]
        return effect === 'write' && group !== 'test.write' && cost === 'none' && required.includes('amount')
      })
      .map(({ name }) => name)
    expect(free).toEqual([])
  })
})
