/** Subscriptions: created with a first invoice that is paid at once, updated, cancelled. Time does not pass by itself. */

import { missingParam, notPermitted } from '../error.ts'
import type { Form } from '../form.ts'
import { newId } from '../id.ts'
import { page } from '../list.ts'
import type { Interval, Price, Subscription, SubscriptionItem } from '../objects.ts'
import { metadata, optionalBoolean, optionalForms, optionalInteger, optionalText, requiredText } from '../params.ts'
import { retrieved } from '../plain-routes.ts'
import { type Call, change, type Route } from '../route.ts'
import { finalize, invoice, line, payInvoice, payingCard } from './invoices.ts'

const DAY_S = 86_400
const PERIOD_S: Readonly<Record<Interval, number>> = {
  day: DAY_S,
  week: 7 * DAY_S,
  month: 30 * DAY_S,
  year: 365 * DAY_S,
}

export const itemsOf = (data: readonly SubscriptionItem[]) => ({ object: 'list', has_more: false, data }) as const

export const subscription = (
  now: number,
  fields: Partial<Subscription> & { customer: string; currency: string },
): Subscription => ({
  id: newId('sub'),
  object: 'subscription',
  cancel_at_period_end: false,
  canceled_at: null,
  created: now,
  default_payment_method: null,
  ended_at: null,
  items: itemsOf([]),
  latest_invoice: null,
  livemode: false,
  metadata: {},
  status: 'active',
  ...fields,
})

/** One period of a recurring price, from now on. */
export function item(now: number, price: Price, quantity: number): SubscriptionItem {
  const { interval, interval_count } = price.recurring!
  return {
    id: newId('si'),
    object: 'subscription_item',
    price,
    quantity,
    current_period_start: now,
    current_period_end: now + PERIOD_S[interval] * interval_count,
  }
}

function readItems({ account, now }: Call, sent: readonly Form[]): readonly SubscriptionItem[] {
  return sent.map((form, index) => {
    const at = `items[${index}]`
    const quantity = optionalInteger(form, 'quantity', 1) ?? 1
    const id = optionalText(form, 'price')
    if (id === undefined) throw missingParam(`${at}[price]`)
    const price = account.prices.get(id, `${at}[price]`)
    if (price.recurring === null) {
      throw notPermitted(
        'The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.',
        {
          param: `${at}[price]`,
        },
      )
    }
    return item(now, price, quantity)
  })
}

const perPeriod = (one: Subscription): number =>
  one.items.data.reduce((sum, { price, quantity }) => sum + price.unit_amount * quantity, 0)

const about = (one: Subscription) => ({
  id: one.id,
  amount: perPeriod(one),
  currency: one.currency,
  customer: one.customer,
})

function create(call: Call): Subscription {
  const { account, params, now } = call
  const customer = requiredText(params, 'customer')
  const sent = optionalForms(params, 'items')
  const method = optionalText(params, 'default_payment_method') ?? null
  const tags = metadata(params)
  if (sent === undefined) throw missingParam('items')
  account.customers.live(customer, 'customer')
  const items = readItems(call, sent)
  const card = payingCard(account, customer, method)
  if (card === undefined) {
    throw notPermitted('This customer has no attached payment source or default payment method.', {
      code: 'resource_missing',
    })
  }

  const currency = items[0]?.price.currency ?? 'usd'
  const fields = { customer, currency, items: itemsOf(items), default_payment_method: method, metadata: tags }
  const made = account.subscriptions.insert(subscription(now, fields))
  const lines = items.map(({ price, quantity }) => line(price.unit_amount * quantity, currency, null))
  const first = account.invoices.insert(invoice(now, lines, { customer, currency, subscription: made.id }))
  finalize(account, first)
  const result = payInvoice(account, now, first, card)
  made.latest_invoice = first.id
  if (result?.decline) made.status = 'incomplete'
  call.changed(change('subscription.created', about(made), first.amount_paid))
  return made
}

export const subscriptionRoutes: readonly Route[] = [
  { method: 'POST', path: '/v1/subscriptions', answers: 'subscription', run: create },
  {
    method: 'GET',
    path: '/v1/subscriptions',
    answers: 'subscription',
    list: true,
    run({ account, params, path }) {
      // Unless a status is asked for, cancelled ones are left out; `all` leaves none out.
      const status = optionalText(params, 'status')
      const keep = ({ status: its }: Subscription) =>
        status === undefined ? its !== 'canceled' : status === 'all' || its === status
      return page(account.subscriptions, path, params, ['customer'], keep)
    },
  },
  retrieved('/v1/subscriptions/{subscription}', 'subscription', ({ subscriptions }) => subscriptions, 'id'),
  {
    method: 'POST',
    path: '/v1/subscriptions/{subscription}',
    answers: 'subscription',
    run(call) {
      const { account, params } = call
      const atEnd = optionalBoolean(params, 'cancel_at_period_end')
      const method = optionalText(params, 'default_payment_method')
      const sent = optionalForms(params, 'items')
      const one = account.subscriptions.get(call.ids[0]!, 'id')
      const tags = metadata(params, one.metadata)
      if (one.status === 'canceled')
        throw notPermitted('A canceled subscription can only update its cancellation_details.')
      if (method !== undefined) account.payment_methods.get(method, 'default_payment_method')
      const items = sent && readItems(call, sent)

      if (atEnd !== undefined) one.cancel_at_period_end = atEnd
      if (method !== undefined) one.default_payment_method = method
      if (items) one.items = itemsOf(items)
      one.metadata = tags
      call.changed(change('subscription.updated', about(one)))
      return one
    },
  },
  {
    method: 'DELETE',
    path: '/v1/subscriptions/{subscription}',
    answers: 'subscription',
    run(call) {
      const one = call.account.subscriptions.get(call.ids[0]!, 'id')
      if (one.status === 'canceled') throw notPermitted(`No such subscription: '${one.id}' is already canceled.`)
      one.status = 'canceled'
      one.canceled_at = call.now
      one.ended_at = call.now
      call.changed(change('subscription.canceled', about(one)))
      return one
    },
  },
]
