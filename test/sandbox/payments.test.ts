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

const effects = async () => (await sandbox.effects()).map(({ kind, amount, moved }) => [kind, amount, moved])

describe('customers', () => {
  it('are created, retrieved, updated and deleted', async () => {
    const made = await stripe.customers.create({ email: 'a@example.com', metadata: { tier: '1', note: 'x' } })
    expect(made).toMatchObject({ object: 'customer', email: 'a@example.com', metadata: { tier: '1', note: 'x' } })
    const updated = await stripe.customers.update(made.id, { name: 'A', metadata: { note: '' } })
    expect(updated).toMatchObject({ name: 'A', email: 'a@example.com', metadata: { tier: '1' } })
    expect(await stripe.customers.del(made.id)).toMatchObject({ id: made.id, deleted: true })
    expect(await stripe.customers.retrieve(made.id)).toMatchObject({ id: made.id, deleted: true })
    await expect(stripe.customers.update(made.id, { name: 'B' })).rejects.toMatchObject({ code: 'resource_missing' })
    expect((await effects()).map(([kind]) => kind)).toEqual([
      'customer.created',
      'customer.updated',
      'customer.deleted',
    ])
  })

  it('are listed newest first, in pages, without the deleted', async () => {
    const ids: string[] = []
    for (let made = 0; made < 5; made++) ids.unshift((await stripe.customers.create({ email: 'p@example.com' })).id)
    await stripe.customers.del(ids[1]!)
    const kept = ids.filter((_, index) => index !== 1)
    const first = await stripe.customers.list({ limit: 2, email: 'p@example.com' })
    expect(first).toMatchObject({ object: 'list', url: '/v1/customers', has_more: true })
    expect(first.data.map(({ id }) => id)).toEqual(kept.slice(0, 2))
    const second = await stripe.customers.list({ limit: 2, email: 'p@example.com', starting_after: kept[1]! })
    expect(second.data.map(({ id }) => id)).toEqual(kept.slice(2))
    expect(second.has_more).toBe(false)
    const back = await stripe.customers.list({ limit: 1, email: 'p@example.com', ending_before: kept[2]! })
    expect(back.data.map(({ id }) => id)).toEqual([kept[1]])
    const all = await stripe.customers.list({ limit: 1, email: 'p@example.com' }).autoPagingToArray({ limit: 100 })
    expect(all.map(({ id }) => id)).toEqual(kept)
  })
})

describe('payment methods', () => {
  it('are created from a test number or token, attached, listed and detached', async () => {
    const made = await stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } })
    expect(made.card).toMatchObject({ brand: 'visa', last4: '4242' })
    await stripe.paymentMethods.attach(made.id, { customer: 'cus_456' })
    expect((await stripe.customers.listPaymentMethods('cus_456')).data.map(({ id }) => id)).toEqual([made.id])
    expect((await stripe.paymentMethods.list({ customer: 'cus_456' })).data).toHaveLength(1)
    expect((await stripe.paymentMethods.detach(made.id)).customer).toBeNull()
    expect((await stripe.customers.listPaymentMethods('cus_456')).data).toEqual([])
  })

  it('that the bank refuses do not attach', async () => {
    await expect(stripe.paymentMethods.attach('pm_card_chargeDeclined', { customer: 'cus_123' })).rejects.toMatchObject(
      { type: 'StripeCardError', statusCode: 402, decline_code: 'generic_decline' },
    )
  })
})

describe('payment intents', () => {
  it('are paid at once, with the charge at hand', async () => {
    const paid = await stripe.paymentIntents.create({
      amount: 1_000,
      currency: 'usd',
      customer: 'cus_123',
      payment_method: 'pm_card_visa',
      confirm: true,
      expand: ['latest_charge.customer'],
    })
    expect(paid).toMatchObject({ status: 'succeeded', amount_received: 1_000, amount_capturable: 0 })
    expect(paid.latest_charge).toMatchObject({
      object: 'charge',
      amount: 1_000,
      captured: true,
      payment_intent: paid.id,
      customer: { id: 'cus_123', object: 'customer' },
    })
    expect((await stripe.charges.list({ payment_intent: paid.id })).data).toHaveLength(1)
    expect(await effects()).toEqual([['payment_intent.created', 1_000, 1_000]])
  })

  it('wait for a payment method and a confirmation', async () => {
    const made = await stripe.paymentIntents.create({ amount: 1_000, currency: 'usd' })
    expect(made.status).toBe('requires_payment_method')
    const updated = await stripe.paymentIntents.update(made.id, { payment_method: 'pm_card_visa', amount: 1_200 })
    expect(updated).toMatchObject({ status: 'requires_confirmation', amount: 1_200 })
    expect((await stripe.paymentIntents.confirm(made.id)).status).toBe('succeeded')
    await expect(stripe.paymentIntents.confirm(made.id)).rejects.toMatchObject({
      code: 'payment_intent_unexpected_state',
    })
    expect(await effects()).toEqual([
      ['payment_intent.created', 1_000, 0],
      ['payment_intent.updated', 1_200, 0],
      ['payment_intent.confirmed', 1_200, 1_200],
    ])
  })

  it('captured by hand move the money only then, all or a part', async () => {
    const held = await stripe.paymentIntents.create({
      amount: 1_000,
      currency: 'usd',
      payment_method: 'pm_card_visa',
      confirm: true,
      capture_method: 'manual',
    })
    expect(held).toMatchObject({ status: 'requires_capture', amount_capturable: 1_000, amount_received: 0 })
    await expect(stripe.paymentIntents.capture(held.id, { amount_to_capture: 1_001 })).rejects.toMatchObject({
      code: 'amount_too_large',
    })
    const captured = await stripe.paymentIntents.capture(held.id, { amount_to_capture: 600 })
    expect(captured).toMatchObject({ status: 'succeeded', amount_received: 600, amount_capturable: 0 })
    const refund = await stripe.refunds.create({ payment_intent: held.id })
    expect(refund.amount).toBe(600)
    expect(await effects()).toEqual([
      ['payment_intent.created', 1_000, 0],
      ['payment_intent.captured', 600, 600],
      ['refund.created', 600, 600],
    ])
  })

  it('are cancelled, and then neither confirmed nor refunded', async () => {
    const { id } = await stripe.paymentIntents.create({
      amount: 1_000,
      currency: 'usd',
      payment_method: 'pm_card_visa',
    })
    const gone = await stripe.paymentIntents.cancel(id, { cancellation_reason: 'duplicate' })
    expect(gone).toMatchObject({ status: 'canceled', cancellation_reason: 'duplicate' })
    await expect(stripe.paymentIntents.confirm(id)).rejects.toMatchObject({ code: 'payment_intent_unexpected_state' })
    await expect(stripe.refunds.create({ payment_intent: id })).rejects.toMatchObject({ statusCode: 400 })
    expect((await stripe.paymentIntents.list({ limit: 1 })).data[0]!.id).toBe(id)
  })

  it('that are declined tell the charge, the reason and themselves, and move nothing', async () => {
    const error = await stripe.paymentIntents
      .create({
        amount: 1_000,
        currency: 'usd',
        payment_method: 'pm_card_chargeDeclinedInsufficientFunds',
        confirm: true,
      })
      .catch((thrown) => thrown)
    expect(error).toMatchObject({
      type: 'StripeCardError',
      statusCode: 402,
      code: 'card_declined',
      decline_code: 'insufficient_funds',
      charge: expect.stringMatching(/^ch_/),
      payment_intent: { object: 'payment_intent', status: 'requires_payment_method' },
    })
    expect(error.headers['stripe-should-retry']).toBe('false')
    expect((await stripe.charges.retrieve(error.charge)).status).toBe('failed')
    expect(await effects()).toEqual([['payment_intent.payment_failed', 1_000, 0]])
  })
})

describe('charges', () => {
  it("are made on a customer's card, on a token, and captured later", async () => {
    const onCustomer = await stripe.charges.create({ amount: 500, currency: 'USD', customer: 'cus_123' })
    expect(onCustomer).toMatchObject({ amount: 500, currency: 'usd', customer: 'cus_123', captured: true, paid: true })
    const held = await stripe.charges.create({ amount: 700, currency: 'usd', source: 'tok_visa', capture: false })
    expect(held).toMatchObject({ captured: false, amount_captured: 0 })
    expect(await stripe.charges.capture(held.id, { amount: 400 })).toMatchObject({
      captured: true,
      amount_captured: 400,
    })
    await expect(stripe.charges.capture(held.id)).rejects.toMatchObject({ code: 'charge_already_captured' })
    expect((await stripe.charges.list({ customer: 'cus_123', limit: 1 })).data[0]!.id).toBe(onCustomer.id)
    expect(await effects()).toEqual([
      ['charge.created', 500, 500],
      ['charge.created', 700, 0],
      ['charge.captured', 400, 400],
    ])
  })

  it.each([
    ['tok_chargeDeclined', 'card_declined', 'generic_decline'],
    ['tok_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['tok_chargeDeclinedExpiredCard', 'expired_card', 'expired_card'],
  ] as const)('on %s are declined: %s, %s', async (source, code, decline_code) => {
    const error = await stripe.charges.create({ amount: 500, currency: 'usd', source }).catch((thrown) => thrown)
    expect(error).toMatchObject({ type: 'StripeCardError', statusCode: 402, code, decline_code })
    expect(await stripe.charges.retrieve(error.charge)).toMatchObject({ status: 'failed', paid: false })
    expect(await effects()).toEqual([['charge.failed', 500, 0]])
  })

  it('on a customer without a card are declined before there is a charge', async () => {
    const { id } = await stripe.customers.create({})
    await expect(stripe.charges.create({ amount: 500, currency: 'usd', customer: id })).rejects.toMatchObject({
      statusCode: 402,
      code: 'missing',
    })
  })
})

describe('refunds', () => {
  it('take a part, then all that remains, and then nothing', async () => {
    const part = await stripe.refunds.create({ charge: 'ch_123', amount: 500, reason: 'requested_by_customer' })
    expect(part).toMatchObject({
      object: 'refund',
      amount: 500,
      currency: 'usd',
      charge: 'ch_123',
      status: 'succeeded',
    })
    expect(await stripe.charges.retrieve('ch_123')).toMatchObject({ amount_refunded: 500, refunded: false })
    const rest = await stripe.refunds.create({ charge: 'ch_123' })
    expect(rest.amount).toBe(19_500)
    expect(await stripe.charges.retrieve('ch_123')).toMatchObject({ amount_refunded: 20_000, refunded: true })
    await expect(stripe.refunds.create({ charge: 'ch_123', amount: 1 })).rejects.toMatchObject({
      statusCode: 400,
      code: 'charge_already_refunded',
    })
    expect((await stripe.refunds.list({ charge: 'ch_123' })).data.map(({ id }) => id)).toEqual([rest.id, part.id])
    expect(await stripe.refunds.retrieve(part.id, { expand: ['charge'] })).toMatchObject({ charge: { id: 'ch_123' } })
    const [first, second] = await sandbox.effects()
    expect([first!.moved, second!.moved]).toEqual([500, 19_500])
    expect(first).toMatchObject({ kind: 'refund.created', object: part.id, currency: 'usd', customer: 'cus_123' })
  })

  it.each([
    ['more than was charged', 20_001, 'greater than charge amount (200.00 USD)'],
    ['more than is left', 19_999, 'greater than unrefunded amount on charge (199.98 USD)'],
  ] as const)('of %s are refused', async (_, amount, words) => {
    if (amount < 20_000) await stripe.refunds.create({ charge: 'ch_123', amount: 2 })
    const error = await stripe.refunds.create({ charge: 'ch_123', amount }).catch((thrown) => thrown)
    expect(error).toMatchObject({ type: 'StripeInvalidRequestError', statusCode: 400, param: 'amount' })
    expect(error.message).toContain(words)
  })

  it('find the charge of a payment intent', async () => {
    expect(await stripe.refunds.create({ payment_intent: 'pi_123', amount: 1 })).toMatchObject({
      charge: 'ch_125',
      payment_intent: 'pi_123',
    })
  })

  it('that wait are cancelled, and give the amount back to the charge', async () => {
    await sandbox.control('POST', 'seed', {
      charges: [{ id: 'ch_w', amount: 900, amount_refunded: 300, currency: 'usd' }],
      refunds: [{ id: 're_w', amount: 300, currency: 'usd', charge: 'ch_w', status: 'pending' }],
    })
    expect((await stripe.refunds.cancel('re_w')).status).toBe('canceled')
    expect((await stripe.charges.retrieve('ch_w')).amount_refunded).toBe(0)
    await expect(stripe.refunds.cancel('re_w')).rejects.toMatchObject({ statusCode: 400 })
  })

  it('of an authorisation give it back whole and move nothing', async () => {
    const held = await stripe.charges.create({ amount: 700, currency: 'usd', source: 'tok_visa', capture: false })
    await expect(stripe.refunds.create({ charge: held.id, amount: 100 })).rejects.toMatchObject({ statusCode: 400 })
    await stripe.refunds.create({ charge: held.id })
    expect((await effects()).at(-1)).toEqual(['refund.created', 700, 0])
    await expect(stripe.charges.capture(held.id)).rejects.toMatchObject({ statusCode: 400 })
  })
})

describe('the balance', () => {
  it('is what was captured less what was refunded', async () => {
    const usd = async () =>
      (await stripe.balance.retrieve()).available.find(({ currency }) => currency === 'usd')!.amount
    const before = await usd()
    await stripe.charges.create({ amount: 800, currency: 'usd', source: 'tok_visa' })
    await stripe.refunds.create({ charge: 'ch_123', amount: 300 })
    expect(await usd()).toBe(before + 500)
  })
})
