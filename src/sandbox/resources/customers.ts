/** Customers. */

import { newId } from '../id.ts'
import type { Customer } from '../objects.ts'
import { clearableText, metadata, optionalForm, optionalText } from '../params.ts'
import { listed } from '../plain-routes.ts'
import { type Call, change, type Route } from '../route.ts'
import { refuseUnsavable, usePaymentMethod, useSource } from './payment-methods.ts'

export const customer = (now: number, fields: Partial<Customer> = {}): Customer => ({
  id: newId('cus'),
  object: 'customer',
  balance: 0,
  created: now,
  currency: null,
  default_source: null,
  delinquent: false,
  description: null,
  email: null,
  livemode: false,
  metadata: {},
  name: null,
  phone: null,
  ...fields,
  invoice_settings: { default_payment_method: fields.invoice_settings?.default_payment_method ?? null },
})

/** Reads everything first and changes only then, so that a refused param leaves the customer as it was. */
function applyParams(call: Call, onto: Customer): Customer {
  const { params } = call
  const texts = (['name', 'email', 'phone', 'description'] as const).map(
    (field) => [field, clearableText(params, field)] as const,
  )
  const tags = metadata(params, onto.metadata)
  const source = optionalText(params, 'source')
  const method = optionalText(params, 'payment_method')
  const preferred = optionalText(optionalForm(params, 'invoice_settings') ?? {}, 'default_payment_method')

  const card = source === undefined ? undefined : useSource(call, source, 'source')
  const attached = method === undefined ? undefined : usePaymentMethod(call, method, 'payment_method')
  if (card) refuseUnsavable(card)
  if (attached) refuseUnsavable(attached.card)
  const byDefault =
    preferred === undefined
      ? undefined
      : preferred === method
        ? attached!
        : call.account.payment_methods.get(preferred, 'invoice_settings[default_payment_method]')

  for (const [field, value] of texts) if (value !== undefined) onto[field] = value
  onto.metadata = tags
  if (card) {
    card.customer = onto.id
    onto.default_source = card.id
  }
  if (attached) attached.customer = onto.id
  if (byDefault) onto.invoice_settings.default_payment_method = byDefault.id
  return onto
}

export const customerRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/customers',
    answers: 'customer',
    run(call) {
      const made = call.account.customers.insert(applyParams(call, customer(call.now)))
      call.changed(change('customer.created', { id: made.id, customer: made.id }))
      return made
    },
  },
  listed<Customer>('/v1/customers', 'customer', ({ customers }) => customers, ['email']),
  {
    method: 'GET',
    path: '/v1/customers/{customer}',
    answers: 'customer',
    run({ account, ids }) {
      const found = account.customers.get(ids[0]!, 'id')
      return found.deleted ? { id: found.id, object: 'customer', deleted: true } : found
    },
  },
  {
    method: 'POST',
    path: '/v1/customers/{customer}',
    answers: 'customer',
    run(call) {
      const updated = applyParams(call, call.account.customers.live(call.ids[0]!, 'id'))
      call.changed(change('customer.updated', { id: updated.id, customer: updated.id }))
      return updated
    },
  },
  {
    method: 'DELETE',
    path: '/v1/customers/{customer}',
    answers: 'customer',
    run(call) {
      const gone = call.account.customers.live(call.ids[0]!, 'id')
      gone.deleted = true
      call.changed(change('customer.deleted', { id: gone.id, customer: gone.id }))
      return { id: gone.id, object: 'customer', deleted: true }
    },
  },
]
