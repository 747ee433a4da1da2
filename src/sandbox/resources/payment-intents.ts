/** Payment intents: create, confirm, capture, cancel; captured at once or by hand. */

import { missingParam, notPermitted } from '../error.ts'
import { newId } from '../id.ts'
import type { PaymentIntent } from '../objects.ts'
import {
  clearableText,
  metadata,
  optionalBoolean,
  optionalInteger,
  optionalOneOf,
  optionalText,
  requiredPayment,
} from '../params.ts'
import { listed, retrieved } from '../plain-routes.ts'
import { type Call, change, type Route } from '../route.ts'
import { captureCharge, pay } from './charges.ts'
import { cardError, usePaymentMethod } from './payment-methods.ts'

const CAPTURE_METHODS = ['automatic', 'automatic_async', 'manual'] as const
const CANCELLATION_REASONS = ['abandoned', 'duplicate', 'fraudulent', 'requested_by_customer'] as const

export function paymentIntent(
  now: number,
  fields: Partial<PaymentIntent> & { amount: number; currency: string },
): PaymentIntent {
  const id = fields.id ?? newId('pi')
  return {
    id,
    object: 'payment_intent',
    amount_capturable: 0,
    amount_received: 0,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic',
    client_secret: newId(`${id}_secret`),
    confirmation_method: 'automatic',
    created: now,
    customer: null,
    description: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    metadata: {},
    next_action: null,
    payment_method: null,
    payment_method_types: ['card'],
    status: fields.payment_method ? 'requires_confirmation' : 'requires_payment_method',
    ...fields,
  }
}

/** Charges the intent's card. `kind` names the one change of this request; a decline is 402 with the intent inside. */
function confirm(call: Call, intent: PaymentIntent, kind: string): PaymentIntent {
  if (intent.payment_method === null) {
    throw notPermitted(
      'You cannot confirm this PaymentIntent because it is missing a payment method. Update it with a payment method and then confirm it again.',
      { code: 'payment_intent_unexpected_state' },
    )
  }
  const { account, now } = call
  const method = account.payment_methods.get(intent.payment_method, 'payment_method')
  const { amount, currency, customer, description, metadata: tags } = intent
  const captured = intent.capture_method !== 'manual'
  const { made, decline } = pay(
    account,
    now,
    { ...method.card, id: method.id },
    { amount, currency, customer, description, captured, metadata: tags, payment_intent: intent.id },
  )
  intent.latest_charge = made.id
  if (decline) {
    intent.status = 'requires_payment_method'
    intent.payment_method = null
    intent.last_payment_error = { type: 'card_error', charge: made.id, ...decline, payment_method: method }
    call.changed(change('payment_intent.payment_failed', intent))
    throw cardError(decline, { charge: made.id, payment_intent: intent })
  }
  intent.last_payment_error = null
  intent.status = captured ? 'succeeded' : 'requires_capture'
  intent.amount_received = made.amount_captured
  intent.amount_capturable = captured ? 0 : amount
  call.changed(change(kind, intent, made.amount_captured))
  return intent
}

function must(intent: PaymentIntent, verb: string, states: readonly PaymentIntent['status'][]): void {
  if (states.includes(intent.status)) return
  throw notPermitted(
    `This PaymentIntent's status is ${intent.status}, so you cannot ${verb} it: only a PaymentIntent with one of the following statuses may be: ${states.join(', ')}.`,
    { code: 'payment_intent_unexpected_state' },
  )
}

export const paymentIntentRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/payment_intents',
    answers: 'payment_intent',
    run(call) {
      const { account, params, now } = call
      const { amount, currency } = requiredPayment(params)
      const capture_method = optionalOneOf(params, 'capture_method', CAPTURE_METHODS) ?? 'automatic'
      const atOnce = optionalBoolean(params, 'confirm') ?? false
      const customer = optionalText(params, 'customer') ?? null
      const description = optionalText(params, 'description') ?? null
      const method = optionalText(params, 'payment_method')
      const tags = metadata(params)
      if (atOnce && method === undefined) throw missingParam('payment_method')
      if (customer !== null) account.customers.live(customer, 'customer')
      const payment_method = method === undefined ? null : usePaymentMethod(call, method, 'payment_method').id

      const fields = { amount, currency, capture_method, customer, description, payment_method, metadata: tags }
      const made = account.payment_intents.insert(paymentIntent(now, fields))
      if (atOnce) return confirm(call, made, 'payment_intent.created')
      call.changed(change('payment_intent.created', made))
      return made
    },
  },
  listed<PaymentIntent>('/v1/payment_intents', 'payment_intent', ({ payment_intents }) => payment_intents, [
    'customer',
  ]),
  retrieved('/v1/payment_intents/{intent}', 'payment_intent', ({ payment_intents }) => payment_intents, 'intent'),
  {
    method: 'POST',
    path: '/v1/payment_intents/{intent}',
    answers: 'payment_intent',
    run(call) {
      const amount = optionalInteger(call.params, 'amount', 1)
      const method = optionalText(call.params, 'payment_method')
      const description = clearableText(call.params, 'description')
      const intent = call.account.payment_intents.get(call.ids[0]!, 'intent')
      const tags = metadata(call.params, intent.metadata)
      if (amount !== undefined || method !== undefined) {
        must(intent, 'update', ['requires_payment_method', 'requires_confirmation'])
      }
      if (amount !== undefined) intent.amount = amount
      if (method !== undefined) {
        intent.payment_method = usePaymentMethod(call, method, 'payment_method').id
        intent.status = 'requires_confirmation'
      }
      if (description !== undefined) intent.description = description
      intent.metadata = tags
      call.changed(change('payment_intent.updated', intent))
      return intent
    },
  },
  {
    method: 'POST',
    path: '/v1/payment_intents/{intent}/confirm',
    answers: 'payment_intent',
    run(call) {
      const method = optionalText(call.params, 'payment_method')
      const intent = call.account.payment_intents.get(call.ids[0]!, 'intent')
      must(intent, 'confirm', ['requires_payment_method', 'requires_confirmation'])
      if (method !== undefined) intent.payment_method = usePaymentMethod(call, method, 'payment_method').id
      return confirm(call, intent, 'payment_intent.confirmed')
    },
  },
  {
    method: 'POST',
    path: '/v1/payment_intents/{intent}/capture',
    answers: 'payment_intent',
    run(call) {
      const asked = optionalInteger(call.params, 'amount_to_capture', 1)
      const { account } = call
      const intent = account.payment_intents.get(call.ids[0]!, 'intent')
      must(intent, 'capture', ['requires_capture'])
      const amount = asked ?? intent.amount_capturable
      if (amount > intent.amount_capturable) {
        throw notPermitted('The amount to capture is greater than the amount that may be captured.', {
          code: 'amount_too_large',
          param: 'amount_to_capture',
        })
      }
      captureCharge(account, account.charges.get(intent.latest_charge!, 'latest_charge'), amount)
      intent.status = 'succeeded'
      intent.amount_received = amount
      intent.amount_capturable = 0
      call.changed(change('payment_intent.captured', { ...intent, amount }, amount))
      return intent
    },
  },
  {
    method: 'POST',
    path: '/v1/payment_intents/{intent}/cancel',
    answers: 'payment_intent',
    run(call) {
      const reason = optionalOneOf(call.params, 'cancellation_reason', CANCELLATION_REASONS) ?? null
      const { account } = call
      const intent = account.payment_intents.get(call.ids[0]!, 'intent')
      must(intent, 'cancel', ['requires_payment_method', 'requires_confirmation', 'requires_capture'])
      if (intent.status === 'requires_capture') {
        const held = account.charges.get(intent.latest_charge!, 'latest_charge')
        held.amount_refunded = held.amount
        held.refunded = true
      }
      intent.status = 'canceled'
      intent.amount_capturable = 0
      intent.canceled_at = call.now
      intent.cancellation_reason = reason
      call.changed(change('payment_intent.canceled', intent))
      return intent
    },
  },
]
