/** Invoices and the items on them: draft, open, paid. */

import type { AccountState } from '../account.ts'
import { notPermitted } from '../error.ts'
import { newId } from '../id.ts'
import type { CardFace, Invoice, InvoiceItem, InvoiceLine } from '../objects.ts'
import { metadata, optionalText, requiredCurrency, requiredInteger, requiredText } from '../params.ts'
import { listed, retrieved } from '../plain-routes.ts'
import { type Call, change, type Route } from '../route.ts'
import { pay } from './charges.ts'
import { cardError, usePaymentMethod } from './payment-methods.ts'

export const line = (amount: number, currency: string, description: string | null): InvoiceLine => ({
  id: newId('il'),
  object: 'line_item',
  amount,
  currency,
  description,
})

export function invoice(
  now: number,
  lines: readonly InvoiceLine[],
  fields: Partial<Invoice> & { customer: string; currency: string },
): Invoice {
  const total = lines.reduce((sum, { amount }) => sum + amount, 0)
  return {
    id: newId('in'),
    object: 'invoice',
    amount_due: total,
    amount_paid: 0,
    amount_remaining: total,
    attempted: false,
    created: now,
    default_payment_method: null,
    description: null,
    lines: { object: 'list', has_more: false, data: lines },
    livemode: false,
    metadata: {},
    number: null,
    status: 'draft',
    subscription: null,
    total,
    ...fields,
  }
}

/** By which card an invoice is paid: its own, the customer's preferred one, or the customer's source. */
export function payingCard(
  account: AccountState,
  customerId: string,
  own: string | null,
): (CardFace & { readonly id: string }) | undefined {
  const customer = account.customers.find(customerId)
  const method = own ?? customer?.invoice_settings.default_payment_method ?? null
  const found = method === null ? undefined : account.payment_methods.find(method)
  if (found) return { ...found.card, id: found.id }
  return customer?.default_source ? account.cards.find(customer.default_source) : undefined
}

/** Pays an open invoice; a decline leaves it open and answers what the bank said. */
export function payInvoice(account: AccountState, now: number, one: Invoice, card: CardFace & { readonly id: string }) {
  one.attempted = true
  const { amount_remaining: amount, currency, customer } = one
  const result = amount > 0 ? pay(account, now, card, { amount, currency, customer }) : undefined
  if (result?.decline) return result
  one.status = 'paid'
  one.amount_paid += amount
  one.amount_remaining = 0
  return result
}

export function finalize(account: AccountState, one: Invoice): void {
  one.status = 'open'
  one.number = `SANDBOX-${String(account.invoices.length).padStart(4, '0')}`
}

function payNow(call: Call): Invoice {
  const { account, params, now, ids } = call
  const method = optionalText(params, 'payment_method')
  const one = account.invoices.get(ids[0]!, 'invoice')
  if (one.status === 'paid') throw notPermitted('Invoice is already paid', { code: 'invoice_already_paid' })
  if (one.status !== 'open') {
    throw notPermitted('Only an open invoice can be paid: finalize it first.', { code: 'invoice_not_open' })
  }
  const asked = method === undefined ? undefined : usePaymentMethod(call, method, 'payment_method')
  const card = asked ? { ...asked.card, id: asked.id } : payingCard(account, one.customer, one.default_payment_method)
  if (card === undefined) {
    throw notPermitted('This customer has no attached payment source or default payment method.', {
      code: 'resource_missing',
    })
  }
  const amount = one.amount_remaining
  const result = payInvoice(account, now, one, card)
  const about = { id: one.id, amount, currency: one.currency, customer: one.customer }
  if (result?.decline) {
    call.changed(change('invoice.payment_failed', about))
    throw cardError(result.decline, { charge: result.made.id })
  }
  call.changed(change('invoice.paid', about, amount))
  return one
}

const about = (one: Invoice) => ({ id: one.id, amount: one.total, currency: one.currency, customer: one.customer })

export const invoiceRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/invoiceitems',
    answers: 'invoiceitem',
    run(call) {
      const { account, params } = call
      const customer = requiredText(params, 'customer')
      const amount = requiredInteger(params, 'amount', 1)
      const currency = requiredCurrency(params)
      const description = optionalText(params, 'description') ?? null
      const tags = metadata(params)
      account.customers.live(customer, 'customer')
      const made = account.invoice_items.insert({
        id: newId('ii'),
        object: 'invoiceitem',
        amount,
        currency,
        customer,
        description,
        invoice: null,
        metadata: tags,
      })
      call.changed(change('invoiceitem.created', made))
      return made
    },
  },
  {
    method: 'POST',
    path: '/v1/invoices',
    answers: 'invoice',
    run(call) {
      const { account, params, now } = call
      const customer = requiredText(params, 'customer')
      const currency = params.currency === undefined ? undefined : requiredCurrency(params)
      const method = optionalText(params, 'default_payment_method')
      const description = optionalText(params, 'description') ?? null
      const tags = metadata(params)
      account.customers.live(customer, 'customer')
      if (method !== undefined) account.payment_methods.get(method, 'default_payment_method')

      // As with `pending_invoice_items_behavior=include`: what waits goes on it.
      const waiting: InvoiceItem[] = []
      for (let at = 0; at < account.invoice_items.length; at++) {
        const item = account.invoice_items.at(at)!
        if (item.customer === customer && item.invoice === null) waiting.push(item)
      }
      const in_ = currency ?? waiting[0]?.currency ?? 'usd'
      const billed = waiting.filter((item) => item.currency === in_)
      const lines = billed.map((item) => line(item.amount, item.currency, item.description))
      const made = invoice(now, lines, {
        customer,
        currency: in_,
        description,
        default_payment_method: method ?? null,
        metadata: tags,
      })
      account.invoices.insert(made)
      for (const item of billed) item.invoice = made.id
      call.changed(change('invoice.created', about(made)))
      return made
    },
  },
  listed<Invoice>('/v1/invoices', 'invoice', ({ invoices }) => invoices, ['customer', 'status', 'subscription']),
  retrieved('/v1/invoices/{invoice}', 'invoice', ({ invoices }) => invoices, 'invoice'),
  {
    method: 'POST',
    path: '/v1/invoices/{invoice}/finalize',
    answers: 'invoice',
    run(call) {
      const one = call.account.invoices.get(call.ids[0]!, 'invoice')
      if (one.status !== 'draft') {
        throw notPermitted('This invoice is already finalized, you can no longer finalize it.', {
          code: 'invoice_not_editable',
        })
      }
      finalize(call.account, one)
      call.changed(change('invoice.finalized', about(one)))
      return one
    },
  },
  { method: 'POST', path: '/v1/invoices/{invoice}/pay', answers: 'invoice', run: payNow },
]
