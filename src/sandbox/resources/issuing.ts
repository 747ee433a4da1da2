/** Issuing: cardholders, the cards made for them, and authorizations to approve or decline. */

import { missingParam, notPermitted } from '../error.ts'
import { newId } from '../id.ts'
import type { Cardholder, IssuedCard, IssuingAuthorization } from '../objects.ts'
import {
  metadata,
  optionalForm,
  optionalOneOf,
  optionalText,
  requiredCurrency,
  requiredInteger,
  requiredText,
} from '../params.ts'
import { listed, retrieved } from '../plain-routes.ts'
import { type Call, change, type Route } from '../route.ts'

const HOLDER_TYPES = ['individual', 'company'] as const
const CARD_TYPES = ['virtual', 'physical'] as const
const CARD_STATUSES = ['active', 'inactive', 'canceled'] as const

export const cardholder = (now: number, fields: Partial<Cardholder> & { name: string }): Cardholder => ({
  id: newId('ich'),
  object: 'issuing.cardholder',
  billing: {},
  created: now,
  email: null,
  livemode: false,
  metadata: {},
  status: 'active',
  type: 'individual',
  ...fields,
})

export const issuedCard = (
  now: number,
  fields: Partial<IssuedCard> & { cardholder: Cardholder; currency: string },
): IssuedCard => ({
  id: newId('ic'),
  object: 'issuing.card',
  brand: 'Visa',
  created: now,
  exp_month: 12,
  exp_year: 2040,
  last4: '0009',
  livemode: false,
  metadata: {},
  spending_controls: {},
  status: 'inactive',
  type: 'virtual',
  ...fields,
})

/** Pending: a request of `amount` that waits for a yes or a no. */
export const issuingAuthorization = (
  now: number,
  card: IssuedCard,
  amount: number,
  fields: Partial<IssuingAuthorization> = {},
): IssuingAuthorization => ({
  id: newId('iauth'),
  object: 'issuing.authorization',
  amount: 0,
  approved: false,
  card,
  cardholder: card.cardholder.id,
  created: now,
  currency: card.currency,
  livemode: false,
  merchant_amount: amount,
  merchant_currency: card.currency,
  metadata: {},
  pending_request: { amount, currency: card.currency },
  status: 'pending',
  ...fields,
})

function decide(call: Call, approve: boolean): IssuingAuthorization {
  const one = call.account.authorizations.get(call.ids[0]!, 'authorization')
  const tags = metadata(call.params, one.metadata)
  const asked = one.pending_request
  if (asked === null) {
    throw notPermitted(`Authorization ${one.id} has no pending request: it was decided already.`)
  }
  one.metadata = tags
  one.approved = approve
  one.pending_request = null
  if (approve) one.amount = asked.amount
  else one.status = 'closed'
  const kind = approve ? 'issuing_authorization.approved' : 'issuing_authorization.declined'
  call.changed(change(kind, { id: one.id, ...asked }))
  return one
}

export const issuingRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/issuing/cardholders',
    answers: 'issuing.cardholder',
    run(call) {
      const { params } = call
      const name = requiredText(params, 'name')
      const type = optionalOneOf(params, 'type', HOLDER_TYPES) ?? 'individual'
      const email = optionalText(params, 'email') ?? null
      const billing = optionalForm(params, 'billing')
      if (billing === undefined) throw missingParam('billing')
      const made = cardholder(call.now, { name, type, email, billing, metadata: metadata(params) })
      call.account.cardholders.insert(made)
      call.changed(change('issuing_cardholder.created', made))
      return made
    },
  },
  listed<Cardholder>('/v1/issuing/cardholders', 'issuing.cardholder', ({ cardholders }) => cardholders, [
    'email',
    'status',
    'type',
  ]),
  retrieved(
    '/v1/issuing/cardholders/{cardholder}',
    'issuing.cardholder',
    ({ cardholders }) => cardholders,
    'cardholder',
  ),
  {
    method: 'POST',
    path: '/v1/issuing/cards',
    answers: 'issuing.card',
    run(call) {
      const { account, params } = call
      const currency = requiredCurrency(params)
      const type = optionalOneOf(params, 'type', CARD_TYPES)
      if (type === undefined) throw missingParam('type')
      const status = optionalOneOf(params, 'status', CARD_STATUSES) ?? 'inactive'
      const holder = requiredText(params, 'cardholder')
      const spending_controls = optionalForm(params, 'spending_controls') ?? {}
      const tags = metadata(params)
      const made = issuedCard(call.now, {
        cardholder: account.cardholders.get(holder, 'cardholder'),
        currency,
        type,
        status,
        spending_controls,
        metadata: tags,
      })
      account.issued_cards.insert(made)
      call.changed(change('issuing_card.created', { id: made.id, currency }))
      return made
    },
  },
  listed<IssuedCard>('/v1/issuing/cards', 'issuing.card', ({ issued_cards }) => issued_cards, [
    'status',
    'type',
    'last4',
  ]),
  retrieved('/v1/issuing/cards/{card}', 'issuing.card', ({ issued_cards }) => issued_cards, 'card'),
  {
    method: 'POST',
    path: '/v1/issuing/cards/{card}',
    answers: 'issuing.card',
    run(call) {
      const status = optionalOneOf(call.params, 'status', CARD_STATUSES)
      const one = call.account.issued_cards.get(call.ids[0]!, 'card')
      one.metadata = metadata(call.params, one.metadata)
      if (status !== undefined) one.status = status
      call.changed(change('issuing_card.updated', { id: one.id, currency: one.currency }))
      return one
    },
  },
  listed<IssuingAuthorization>(
    '/v1/issuing/authorizations',
    'issuing.authorization',
    ({ authorizations }) => authorizations,
    ['cardholder', 'status'],
  ),
  retrieved(
    '/v1/issuing/authorizations/{authorization}',
    'issuing.authorization',
    ({ authorizations }) => authorizations,
    'authorization',
  ),
  {
    method: 'POST',
    path: '/v1/issuing/authorizations/{authorization}/approve',
    answers: 'issuing.authorization',
    run: (call) => decide(call, true),
  },
  {
    method: 'POST',
    path: '/v1/issuing/authorizations/{authorization}/decline',
    answers: 'issuing.authorization',
    run: (call) => decide(call, false),
  },
  {
    // Stripe's own test helper; here the request always waits to be decided.
    method: 'POST',
    path: '/v1/test_helpers/issuing/authorizations',
    answers: 'issuing.authorization',
    run(call) {
      const { account, params } = call
      const amount = requiredInteger(params, 'amount', 1)
      const card = account.issued_cards.get(requiredText(params, 'card'), 'card')
      if (card.status !== 'active') throw notPermitted(`Card ${card.id} is ${card.status}.`, { param: 'card' })
      const made = account.authorizations.insert(issuingAuthorization(call.now, card, amount))
      call.changed(change('issuing_authorization.created', { id: made.id, amount, currency: made.currency }))
      return made
    },
  },
]
