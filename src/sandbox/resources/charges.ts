/** Charges: made directly, or by payment intents and invoices through `pay`. */

import type { AccountState } from '../account.ts'
import { invalidParam, notPermitted, StripeError } from '../error.ts'
import { newId } from '../id.ts'
import type { CardFace, Charge, SourceCard } from '../objects.ts'
import { metadata, optionalBoolean, optionalInteger, optionalText, requiredPayment } from '../params.ts'
import { listed, retrieved, tagged } from '../plain-routes.ts'
import { type Call, change, type Route } from '../route.ts'
import { cardError, type Decline, declineOf, useSource } from './payment-methods.ts'

export function charge(now: number, fields: Partial<Charge> & { amount: number; currency: string }): Charge {
  const captured = fields.captured ?? fields.status !== 'failed'
  return {
    id: newId('ch'),
    object: 'charge',
    amount_captured: captured ? fields.amount : 0,
    amount_refunded: 0,
    captured,
    created: now,
    customer: null,
    description: null,
    disputed: false,
    failure_code: null,
    failure_message: null,
    livemode: false,
    metadata: {},
    outcome: { network_status: 'approved_by_network', seller_message: 'Payment complete.', type: 'authorized' },
    paid: fields.status !== 'failed',
    payment_intent: null,
    payment_method: null,
    payment_method_details: { type: 'card' },
    receipt_email: null,
    refunded: false,
    source: null,
    status: 'succeeded',
    ...fields,
  }
}

/** Minor units that a refund may still give back. */
export const refundable = (one: Charge): number => (one.status === 'succeeded' ? one.amount - one.amount_refunded : 0)

/** Asks the bank: makes the charge, succeeded or failed, and moves the money of one that is captured. */
export function pay(
  account: AccountState,
  now: number,
  card: CardFace & { readonly id: string },
  fields: Partial<Charge> & { amount: number; currency: string },
): { made: Charge; decline: Decline | undefined } {
  const decline = declineOf(card)
  const { brand, last4, exp_month, exp_year, country, funding } = card
  const made = account.charges.insert(
    charge(now, {
      payment_method: card.id,
      payment_method_details: { type: 'card', card: { brand, last4, exp_month, exp_year, country, funding } },
      ...fields,
      ...(decline && {
        status: 'failed' as const,
        captured: false,
        failure_code: decline.code,
        failure_message: decline.message,
        outcome: { network_status: 'declined_by_network', reason: decline.decline_code, type: 'issuer_declined' },
      }),
    }),
  )
  account.move(made.currency, made.amount_captured)
  return { made, decline }
}

/** Captures all or a part; what is left of the authorisation is given back. */
export function captureCharge(account: AccountState, one: Charge, amount: number): void {
  one.captured = true
  one.amount_captured = amount
  // Stripe shows the part that is given back as refunded.
  one.amount_refunded = one.amount - amount
  account.move(one.currency, amount)
}

function cardFor(call: Call, source: string | undefined, customer: string | undefined): SourceCard {
  if (source === undefined && customer === undefined) {
    throw invalidParam('Must provide source or customer.', 'source', 'parameter_missing')
  }
  const owner = customer === undefined ? undefined : call.account.customers.live(customer, 'customer')
  const id = source ?? owner!.default_source
  if (id !== null) return useSource(call, id, 'source')
  throw new StripeError(
    402,
    { type: 'card_error', code: 'missing', message: 'Cannot charge a customer that has no active card', param: 'card' },
    'execution',
  )
}

export const chargeRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/charges',
    answers: 'charge',
    run(call) {
      const { account, params, now } = call
      const { amount, currency } = requiredPayment(params)
      const captured = optionalBoolean(params, 'capture') ?? true
      const customer = optionalText(params, 'customer')
      const description = optionalText(params, 'description') ?? null
      const receipt_email = optionalText(params, 'receipt_email') ?? null
      const tags = metadata(params)
      const source = cardFor(call, optionalText(params, 'source'), customer)

      const fields = { amount, currency, captured, description, receipt_email, source, metadata: tags }
      const { made, decline } = pay(account, now, source, { ...fields, customer: customer ?? null })
      if (decline) {
        call.changed(change('charge.failed', made))
        throw cardError(decline, { charge: made.id })
      }
      call.changed(change('charge.created', made, made.amount_captured))
      return made
    },
  },
  listed<Charge>('/v1/charges', 'charge', ({ charges }) => charges, ['customer', 'payment_intent']),
  retrieved('/v1/charges/{charge}', 'charge', ({ charges }) => charges, 'id'),
  tagged('/v1/charges/{charge}', 'charge', ({ charges }) => charges),
  {
    method: 'POST',
    path: '/v1/charges/{charge}/capture',
    answers: 'charge',
    run(call) {
      const asked = optionalInteger(call.params, 'amount', 1)
      const one = call.account.charges.get(call.ids[0]!, 'charge')
      if (one.captured) {
        throw notPermitted(`Charge ${one.id} has already been captured.`, { code: 'charge_already_captured' })
      }
      if (one.status !== 'succeeded' || one.refunded) {
        throw notPermitted(`Charge ${one.id} cannot be captured: it ${one.refunded ? 'was refunded' : 'failed'}.`)
      }
      const amount = asked ?? one.amount
      if (amount > one.amount) {
        throw notPermitted('You cannot capture a charge for an amount greater than it already has.', {
          param: 'amount',
        })
      }
      captureCharge(call.account, one, amount)
      call.changed(change('charge.captured', { ...one, amount }, amount))
      return one
    },
  },
]
