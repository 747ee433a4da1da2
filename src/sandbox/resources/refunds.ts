/** Refunds: of a charge or of a payment intent's charge, all that remains or a part. */

import { formatMoney } from '../../model/money.ts'
import type { AccountState } from '../account.ts'
import { invalidParam, notPermitted } from '../error.ts'
import { newId } from '../id.ts'
import type { Charge, Refund } from '../objects.ts'
import { metadata, optionalInteger, optionalOneOf, optionalText } from '../params.ts'
import { listed, retrieved, tagged } from '../plain-routes.ts'
import { change, type Route } from '../route.ts'
import { refundable } from './charges.ts'

const REASONS = ['duplicate', 'fraudulent', 'requested_by_customer'] as const

export const refund = (
  now: number,
  fields: Partial<Refund> & { amount: number; currency: string; charge: string },
): Refund => ({
  id: newId('re'),
  object: 'refund',
  created: now,
  metadata: {},
  payment_intent: null,
  reason: null,
  status: 'succeeded',
  ...fields,
})

/** Exactly one charge, by its own id or by its payment intent's. */
function chargeOf(account: AccountState, chargeId: string | undefined, intentId: string | undefined): Charge {
  if (chargeId === undefined && intentId === undefined) {
    throw invalidParam(
      'One of the following params should be provided for this request: payment_intent or charge.',
      'charge',
      'parameter_missing',
    )
  }
  if (intentId === undefined) return account.charges.get(chargeId!, 'charge')
  const intent = account.payment_intents.get(intentId, 'payment_intent')
  const paid = intent.latest_charge === null ? undefined : account.charges.find(intent.latest_charge)
  if (paid === undefined || paid.status !== 'succeeded') {
    throw notPermitted(`This PaymentIntent (${intent.id}) does not have a successful charge to refund.`, {
      code: 'payment_intent_unexpected_state',
      param: 'payment_intent',
    })
  }
  if (chargeId !== undefined && chargeId !== paid.id) {
    throw notPermitted(`The charge ${chargeId} is not of the payment intent ${intent.id}.`, { param: 'charge' })
  }
  return paid
}

/** Throws Stripe's 400 where the charge has less left than is asked. */
function amountOf(one: Charge, asked: number | undefined): number {
  if (one.status !== 'succeeded')
    throw notPermitted(`Charge ${one.id} failed: there is nothing to refund.`, { param: 'charge' })
  const left = refundable(one)
  if (left === 0) {
    throw notPermitted(`Charge ${one.id} has already been refunded.`, { code: 'charge_already_refunded' })
  }
  const amount = asked ?? left
  const words = (value: number) => formatMoney({ value, currency: one.currency })
  if (amount > left) {
    const of = one.amount_refunded > 0 ? 'unrefunded amount on charge' : 'charge amount'
    throw notPermitted(`Refund amount (${words(amount)}) is greater than ${of} (${words(left)})`, { param: 'amount' })
  }
  if (!one.captured && amount !== left) {
    throw notPermitted(`Charge ${one.id} is not captured: it can only be refunded whole.`, { param: 'amount' })
  }
  return amount
}

export const refundRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/refunds',
    answers: 'refund',
    run(call) {
      const { account, params, now } = call
      const asked = optionalInteger(params, 'amount', 1)
      const reason = optionalOneOf(params, 'reason', REASONS) ?? null
      const tags = metadata(params)
      const from = chargeOf(account, optionalText(params, 'charge'), optionalText(params, 'payment_intent'))
      const amount = amountOf(from, asked)

      from.amount_refunded += amount
      from.refunded = refundable(from) === 0
      // An authorisation that is given back moved nothing yet.
      const moved = from.captured ? amount : 0
      account.move(from.currency, -moved)
      const { currency, payment_intent } = from
      const made = refund(now, { amount, currency, charge: from.id, payment_intent, reason, metadata: tags })
      account.refunds.insert(made)
      call.changed(change('refund.created', { ...made, customer: from.customer }, moved))
      return made
    },
  },
  listed<Refund>('/v1/refunds', 'refund', ({ refunds }) => refunds, ['charge', 'payment_intent']),
  retrieved('/v1/refunds/{refund}', 'refund', ({ refunds }) => refunds, 'id'),
  tagged('/v1/refunds/{refund}', 'refund', ({ refunds }) => refunds),
  {
    method: 'POST',
    path: '/v1/refunds/{refund}/cancel',
    answers: 'refund',
    run(call) {
      const { account } = call
      const one = account.refunds.get(call.ids[0]!, 'refund')
      if (one.status !== 'requires_action' && one.status !== 'pending') {
        throw notPermitted(`Refund ${one.id} has the status ${one.status} and cannot be canceled.`)
      }
      const from = account.charges.get(one.charge, 'charge')
      one.status = 'canceled'
      from.amount_refunded -= one.amount
      from.refunded = false
      account.move(one.currency, one.amount)
      call.changed(change('refund.canceled', { ...one, customer: from.customer }, one.amount))
      return one
    },
  },
]
