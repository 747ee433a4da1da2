/** Cards: Stripe's test tokens and numbers, payment methods made of them, and the older card sources. */

import { invalidParam, missingParam, notPermitted, StripeError } from '../error.ts'
import type { Form } from '../form.ts'
import { newId } from '../id.ts'
import { page } from '../list.ts'
import type { CardFace, PaymentMethod, SourceCard } from '../objects.ts'
import { metadata, optionalForm, optionalText, requiredText } from '../params.ts'
import { listed } from '../plain-routes.ts'
import { type Call, change, type Route } from '../route.ts'

/** By the tail of `pm_card_…` and `tok_…`. */
const TOKENS: Readonly<Record<string, { brand: string; last4: string; funding?: 'debit' }>> = {
  visa: { brand: 'visa', last4: '4242' },
  visa_debit: { brand: 'visa', last4: '5556', funding: 'debit' },
  mastercard: { brand: 'mastercard', last4: '4444' },
  amex: { brand: 'amex', last4: '8431' },
  chargeDeclined: { brand: 'visa', last4: '0002' },
  chargeDeclinedInsufficientFunds: { brand: 'visa', last4: '9995' },
  chargeDeclinedLostCard: { brand: 'visa', last4: '9987' },
  chargeDeclinedStolenCard: { brand: 'visa', last4: '9979' },
  chargeDeclinedExpiredCard: { brand: 'visa', last4: '0069' },
  chargeDeclinedIncorrectCvc: { brand: 'visa', last4: '0127' },
  chargeDeclinedProcessingError: { brand: 'visa', last4: '0119' },
  chargeCustomerFail: { brand: 'visa', last4: '0341' },
}

export interface Decline {
  readonly code: string
  readonly decline_code: string
  readonly message: string
}

const declined = (decline_code: string): Decline => ({
  code: 'card_declined',
  decline_code,
  message: 'Your card was declined.',
})

/** By the last four digits of Stripe's test numbers, so that a seeded card behaves as its number says. */
const DECLINES: Readonly<Record<string, Decline>> = {
  '0002': declined('generic_decline'),
  '0341': declined('generic_decline'),
  '9995': { ...declined('insufficient_funds'), message: 'Your card has insufficient funds.' },
  '9987': declined('lost_card'),
  '9979': declined('stolen_card'),
  '0069': { code: 'expired_card', decline_code: 'expired_card', message: 'Your card has expired.' },
  '0127': { code: 'incorrect_cvc', decline_code: 'incorrect_cvc', message: "Your card's security code is incorrect." },
  '0119': {
    code: 'processing_error',
    decline_code: 'processing_error',
    message: 'An error occurred while processing your card. Try again in a little bit.',
  },
}
/** The one card that attaches and only then declines. */
const ATTACHES = '0341'

/** Undefined for a card that pays. */
export const declineOf = (card: { last4: string }): Decline | undefined => DECLINES[card.last4]

export const cardError = (decline: Decline, more: { charge?: string; payment_intent?: object } = {}): StripeError =>
  new StripeError(402, { type: 'card_error', param: 'card', ...decline, ...more }, 'execution')

const face = (brand: string, last4: string, funding: 'credit' | 'debit' = 'credit'): CardFace => ({
  brand,
  last4,
  exp_month: 12,
  exp_year: 2040,
  country: 'US',
  funding,
})

function faceOfToken(token: string): CardFace | undefined {
  const tail = /^(?:pm_card_|tok_)(\w+)$/.exec(token)?.[1]
  const known = tail !== undefined && Object.hasOwn(TOKENS, tail) ? TOKENS[tail] : undefined
  return known && face(known.brand, known.last4, known.funding)
}

export const paymentMethod = (now: number, fields: Partial<PaymentMethod> = {}): PaymentMethod => ({
  id: newId('pm'),
  object: 'payment_method',
  type: 'card',
  card: face('visa', '4242'),
  billing_details: { address: null, email: null, name: null, phone: null },
  customer: null,
  metadata: {},
  created: now,
  livemode: false,
  ...fields,
})

export const sourceCard = (fields: Partial<SourceCard> = {}): SourceCard => ({
  id: newId('card'),
  object: 'card',
  ...face('visa', '4242'),
  customer: null,
  metadata: {},
  ...fields,
})

/** An id of this account, or a test token, of which a new one is made, as Stripe does. */
export function usePaymentMethod({ account, now }: Call, id: string, param: string): PaymentMethod {
  const card = faceOfToken(id)
  return card ? account.payment_methods.insert(paymentMethod(now, { card })) : account.payment_methods.get(id, param)
}

/** `tok_…` makes a new card source; `card_…` names one. */
export function useSource({ account }: Call, id: string, param: string): SourceCard {
  const card = id.startsWith('tok_') ? faceOfToken(id) : undefined
  return card ? account.cards.insert(sourceCard(card)) : account.cards.get(id, param)
}

/** Throws 402 for a card that the bank refuses already when it is saved. */
export function refuseUnsavable(card: { last4: string }): void {
  const decline = declineOf(card)
  if (decline && card.last4 !== ATTACHES) throw cardError(decline)
}

function faceOf(params: Form): CardFace {
  const token = optionalText(params, 'token')
  if (token !== undefined) {
    const known = faceOfToken(token)
    if (known === undefined) throw invalidParam(`No such token: '${token}'`, 'card[token]', 'resource_missing')
    return known
  }
  const number = requiredText(params, 'number')
  if (!/^\d{13,19}$/.test(number))
    throw invalidParam('Your card number is incorrect.', 'card[number]', 'incorrect_number')
  return face(number.startsWith('5') ? 'mastercard' : number.startsWith('3') ? 'amex' : 'visa', number.slice(-4))
}

export const paymentMethodRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/payment_methods',
    answers: 'payment_method',
    run(call) {
      const type = requiredText(call.params, 'type')
      if (type !== 'card')
        throw invalidParam(`The sandbox knows payment methods of type card only, not ${type}.`, 'type')
      const card = optionalForm(call.params, 'card')
      if (card === undefined) throw missingParam('card')
      const made = paymentMethod(call.now, { card: faceOf(card), metadata: metadata(call.params) })
      call.account.payment_methods.insert(made)
      call.changed(change('payment_method.created', made))
      return made
    },
  },
  listed<PaymentMethod>('/v1/payment_methods', 'payment_method', ({ payment_methods }) => payment_methods, [
    'customer',
    'type',
  ]),
  {
    method: 'GET',
    path: '/v1/payment_methods/{payment_method}',
    answers: 'payment_method',
    run: (call) => usePaymentMethod(call, call.ids[0]!, 'payment_method'),
  },
  {
    method: 'GET',
    path: '/v1/customers/{customer}/payment_methods',
    answers: 'payment_method',
    list: true,
    run({ account, params, path, ids }) {
      const customer = account.customers.live(ids[0]!, 'customer')
      return page(account.payment_methods, path, params, ['type'], (method) => method.customer === customer.id)
    },
  },
  {
    method: 'POST',
    path: '/v1/payment_methods/{payment_method}/attach',
    answers: 'payment_method',
    run(call) {
      const customer = call.account.customers.live(requiredText(call.params, 'customer'), 'customer')
      const method = usePaymentMethod(call, call.ids[0]!, 'payment_method')
      if (method.customer !== null && method.customer !== customer.id) {
        throw notPermitted('The payment method you provided has already been attached to a customer.', {
          code: 'payment_method_unexpected_state',
        })
      }
      refuseUnsavable(method.card)
      method.customer = customer.id
      call.changed(change('payment_method.attached', method))
      return method
    },
  },
  {
    method: 'POST',
    path: '/v1/payment_methods/{payment_method}/detach',
    answers: 'payment_method',
    run(call) {
      const method = call.account.payment_methods.get(call.ids[0]!, 'payment_method')
      if (method.customer === null) {
        throw notPermitted(
          'The payment method you provided is not attached to a customer so detachment is impossible.',
          {
            code: 'payment_method_unexpected_state',
          },
        )
      }
      call.changed(change('payment_method.detached', method))
      method.customer = null
      return method
    },
  },
]
