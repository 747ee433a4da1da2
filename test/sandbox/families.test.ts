import type Stripe from 'stripe'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { running } from './harness.ts'

let sandbox: Awaited<ReturnType<typeof running>>
let stripe: Stripe
beforeAll(async () => {
  sandbox = await running()
  stripe = sandbox.stripe()
})
beforeEach(() => sandbox.control('POST', 'reset'))
afterAll(() => sandbox.close())

const kinds = async () => (await sandbox.effects()).map(({ kind, moved }) => `${kind} ${moved}`)

describe('products and prices', () => {
  it('are created and retrieved', async () => {
    const product = await stripe.products.create({ name: 'Plan' })
    const price = await stripe.prices.create({
      product: product.id,
      currency: 'usd',
      unit_amount: 900,
      recurring: { interval: 'year' },
    })
    expect(await stripe.prices.retrieve(price.id, { expand: ['product'] })).toMatchObject({
      type: 'recurring',
      recurring: { interval: 'year', interval_count: 1 },
      unit_amount: 900,
      product: { id: product.id, name: 'Plan' },
    })
    expect((await stripe.products.retrieve(product.id)).name).toBe('Plan')
  })
})

describe('subscriptions', () => {
  it('start with a paid invoice, change and end', async () => {
    const made = await stripe.subscriptions.create({
      customer: 'cus_123',
      items: [{ price: 'price_123', quantity: 2 }],
      expand: ['latest_invoice'],
    })
    expect(made).toMatchObject({ status: 'active', customer: 'cus_123' })
    expect(made.items.data[0]).toMatchObject({ quantity: 2, price: { id: 'price_123' } })
    expect(made.latest_invoice).toMatchObject({ status: 'paid', amount_paid: 3_000 })
    expect((await stripe.subscriptions.update(made.id, { cancel_at_period_end: true })).cancel_at_period_end).toBe(true)
    expect((await stripe.subscriptions.cancel(made.id)).status).toBe('canceled')
    expect((await stripe.subscriptions.retrieve(made.id)).status).toBe('canceled')
    const ids = async (status?: 'all') =>
      (await stripe.subscriptions.list({ customer: 'cus_123', ...(status && { status }) })).data.map(({ id }) => id)
    expect(await ids()).toEqual(['sub_123'])
    expect(await ids('all')).toEqual([made.id, 'sub_123'])
    expect(await kinds()).toEqual(['subscription.created 3000', 'subscription.updated 0', 'subscription.canceled 0'])
  })

  it('on a card that declines are incomplete, and move nothing', async () => {
    const made = await stripe.subscriptions.create({ customer: 'cus_789', items: [{ price: 'price_123' }] })
    expect(made.status).toBe('incomplete')
    expect(await kinds()).toEqual(['subscription.created 0'])
  })
})

describe('invoices', () => {
  it('are drafted from waiting items, finalized and paid', async () => {
    await stripe.invoiceItems.create({ customer: 'cus_123', amount: 300, currency: 'usd' })
    await stripe.invoiceItems.create({ customer: 'cus_123', amount: 200, currency: 'usd' })
    const draft = await stripe.invoices.create({ customer: 'cus_123' })
    expect(draft).toMatchObject({ status: 'draft', total: 500, amount_remaining: 500 })
    await expect(stripe.invoices.pay(draft.id!)).rejects.toMatchObject({ code: 'invoice_not_open' })
    expect((await stripe.invoices.finalizeInvoice(draft.id!)).status).toBe('open')
    expect(await stripe.invoices.pay(draft.id!)).toMatchObject({
      status: 'paid',
      amount_paid: 500,
      amount_remaining: 0,
    })
    await expect(stripe.invoices.pay(draft.id!)).rejects.toMatchObject({ code: 'invoice_already_paid' })
    expect((await stripe.invoices.list({ customer: 'cus_123', status: 'paid' })).data.map(({ id }) => id)).toEqual([
      draft.id,
    ])
    expect((await stripe.invoices.create({ customer: 'cus_123' })).total).toBe(0)
    expect((await kinds()).slice(2, 5)).toEqual(['invoice.created 0', 'invoice.finalized 0', 'invoice.paid 500'])
  })

  it('stay open where the card declines', async () => {
    await expect(stripe.invoices.pay('in_123', { payment_method: 'pm_card_chargeCustomerFail' })).rejects.toMatchObject(
      {
        type: 'StripeCardError',
        statusCode: 402,
      },
    )
    expect((await stripe.invoices.retrieve('in_123')).status).toBe('open')
    expect(await kinds()).toEqual(['invoice.payment_failed 0'])
  })
})

describe('connected accounts', () => {
  it('are created, linked for onboarding and acted for', async () => {
    const made = await stripe.accounts.create({ type: 'express', country: 'DE', email: 'c@example.com' })
    expect(made).toMatchObject({ object: 'account', type: 'express', country: 'DE', charges_enabled: false })
    const link = await stripe.accountLinks.create({
      account: made.id,
      type: 'account_onboarding',
      return_url: 'https://example.com/return',
      refresh_url: 'https://example.com/refresh',
    })
    expect(link.url).toContain(made.id)
    const own = await stripe.customers.create({ email: 'c@example.com' }, { stripeAccount: made.id })
    await expect(stripe.customers.retrieve(own.id)).rejects.toMatchObject({ code: 'resource_missing' })
    expect((await stripe.customers.list({}, { stripeAccount: made.id })).data).toHaveLength(1)
  })

  it('that the platform has not are refused with 403', async () => {
    await expect(stripe.customers.list({}, { stripeAccount: 'acct_nobody' })).rejects.toMatchObject({
      type: 'StripePermissionError',
      code: 'account_invalid',
    })
  })
})

describe('issuing', () => {
  it('makes cardholders and cards, and decides on authorizations once', async () => {
    const holder = await stripe.issuing.cardholders.create({
      name: 'Purchasing',
      type: 'company',
      billing: { address: { line1: '1 Example Street', city: 'Example', country: 'US', postal_code: '00000' } },
    })
    const card = await stripe.issuing.cards.create({
      cardholder: holder.id,
      currency: 'usd',
      type: 'virtual',
      status: 'active',
    })
    expect(card).toMatchObject({ object: 'issuing.card', status: 'active', cardholder: { id: holder.id } })
    const asked = await stripe.testHelpers.issuing.authorizations.create({ card: card.id, amount: 1_100 })
    expect(asked).toMatchObject({ status: 'pending', pending_request: { amount: 1_100 } })
    expect(await stripe.issuing.authorizations.approve(asked.id)).toMatchObject({ approved: true, amount: 1_100 })
    await expect(stripe.issuing.authorizations.decline(asked.id)).rejects.toMatchObject({ statusCode: 400 })
    expect(await stripe.issuing.authorizations.decline('iauth_123')).toMatchObject({
      approved: false,
      status: 'closed',
    })
    expect((await kinds()).slice(-2)).toEqual(['issuing_authorization.approved 0', 'issuing_authorization.declined 0'])
  })
})
