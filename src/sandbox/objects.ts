/** The objects that an account holds, in Stripe's own field names: what the sandbox keeps is what it answers. */
import type { StripeObject } from './collection.ts'
import type { Metadata } from './params.ts'

export interface ConnectedAccount extends StripeObject {
  readonly object: 'account'
  readonly type: 'standard' | 'express' | 'custom'
  readonly country: string
  readonly default_currency: string
  email: string | null
  readonly charges_enabled: boolean
  readonly payouts_enabled: boolean
  readonly details_submitted: boolean
  metadata: Metadata
  readonly created: number
}

export interface Customer extends StripeObject {
  readonly object: 'customer'
  name: string | null
  email: string | null
  phone: string | null
  description: string | null
  metadata: Metadata
  /** A card source, by which `charges` pays. */
  default_source: string | null
  readonly invoice_settings: { default_payment_method: string | null }
  readonly balance: number
  readonly currency: string | null
  readonly delinquent: boolean
  readonly created: number
  readonly livemode: false
}

export interface CardFace {
  readonly brand: string
  readonly last4: string
  readonly exp_month: number
  readonly exp_year: number
  readonly country: string
  readonly funding: 'credit' | 'debit'
}

export interface PaymentMethod extends StripeObject {
  readonly object: 'payment_method'
  readonly type: 'card'
  readonly card: CardFace
  customer: string | null
  metadata: Metadata
  readonly billing_details: object
  readonly created: number
  readonly livemode: false
}

export interface SourceCard extends StripeObject, CardFace {
  readonly object: 'card'
  customer: string | null
  readonly metadata: Metadata
}

export interface PaymentIntent extends StripeObject {
  readonly object: 'payment_intent'
  amount: number
  amount_capturable: number
  amount_received: number
  readonly currency: string
  readonly customer: string | null
  readonly capture_method: 'automatic' | 'automatic_async' | 'manual'
  readonly confirmation_method: 'automatic'
  readonly client_secret: string
  description: string | null
  latest_charge: string | null
  last_payment_error: object | null
  metadata: Metadata
  payment_method: string | null
  readonly payment_method_types: readonly string[]
  status: 'requires_payment_method' | 'requires_confirmation' | 'requires_capture' | 'succeeded' | 'canceled'
  canceled_at: number | null
  cancellation_reason: string | null
  readonly created: number
  readonly livemode: false
  readonly next_action: null
}

export interface Charge extends StripeObject {
  readonly object: 'charge'
  readonly amount: number
  amount_captured: number
  amount_refunded: number
  readonly currency: string
  readonly customer: string | null
  captured: boolean
  readonly paid: boolean
  refunded: boolean
  readonly status: 'succeeded' | 'failed' | 'pending'
  readonly failure_code: string | null
  readonly failure_message: string | null
  readonly outcome: object
  readonly payment_intent: string | null
  readonly payment_method: string | null
  readonly payment_method_details: object
  readonly source: SourceCard | null
  readonly description: string | null
  metadata: Metadata
  readonly created: number
  readonly livemode: false
  readonly disputed: boolean
  readonly receipt_email: string | null
}

export interface Refund extends StripeObject {
  readonly object: 'refund'
  readonly amount: number
  readonly currency: string
  readonly charge: string
  readonly payment_intent: string | null
  readonly reason: string | null
  status: 'succeeded' | 'pending' | 'requires_action' | 'failed' | 'canceled'
  metadata: Metadata
  readonly created: number
}

export interface Product extends StripeObject {
  readonly object: 'product'
  readonly name: string
  readonly description: string | null
  readonly active: boolean
  readonly default_price: string | null
  readonly metadata: Metadata
  readonly created: number
  readonly livemode: false
}

export const INTERVALS = ['day', 'week', 'month', 'year'] as const
export type Interval = (typeof INTERVALS)[number]

export interface Price extends StripeObject {
  readonly object: 'price'
  readonly active: boolean
  readonly currency: string
  readonly product: string
  readonly type: 'one_time' | 'recurring'
  readonly recurring: { readonly interval: Interval; readonly interval_count: number } | null
  readonly unit_amount: number
  readonly metadata: Metadata
  readonly created: number
  readonly livemode: false
}

export interface SubscriptionItem {
  readonly id: string
  readonly object: 'subscription_item'
  readonly price: Price
  readonly quantity: number
  readonly current_period_start: number
  readonly current_period_end: number
}

export interface Subscription extends StripeObject {
  readonly object: 'subscription'
  readonly customer: string
  readonly currency: string
  items: { readonly object: 'list'; readonly has_more: false; readonly data: readonly SubscriptionItem[] }
  status: 'active' | 'incomplete' | 'canceled'
  cancel_at_period_end: boolean
  canceled_at: number | null
  ended_at: number | null
  default_payment_method: string | null
  latest_invoice: string | null
  metadata: Metadata
  readonly created: number
  readonly livemode: false
}

export interface InvoiceItem extends StripeObject {
  readonly object: 'invoiceitem'
  readonly amount: number
  readonly currency: string
  readonly customer: string
  readonly description: string | null
  /** Null while it waits for the customer's next invoice. */
  invoice: string | null
  readonly metadata: Metadata
}

export interface InvoiceLine {
  readonly id: string
  readonly object: 'line_item'
  readonly amount: number
  readonly currency: string
  readonly description: string | null
}

export interface Invoice extends StripeObject {
  readonly object: 'invoice'
  readonly customer: string
  readonly currency: string
  readonly amount_due: number
  amount_paid: number
  amount_remaining: number
  readonly total: number
  readonly lines: { readonly object: 'list'; readonly has_more: false; readonly data: readonly InvoiceLine[] }
  readonly description: string | null
  readonly default_payment_method: string | null
  attempted: boolean
  number: string | null
  status: 'draft' | 'open' | 'paid' | 'void'
  readonly subscription: string | null
  readonly metadata: Metadata
  readonly created: number
  readonly livemode: false
}

export interface Cardholder extends StripeObject {
  readonly object: 'issuing.cardholder'
  readonly name: string
  readonly type: 'individual' | 'company'
  readonly email: string | null
  readonly billing: object
  readonly status: 'active' | 'inactive' | 'blocked'
  readonly metadata: Metadata
  readonly created: number
  readonly livemode: false
}

export interface IssuedCard extends StripeObject {
  readonly object: 'issuing.card'
  readonly brand: 'Visa'
  readonly cardholder: Cardholder
  readonly currency: string
  readonly type: 'virtual' | 'physical'
  status: 'active' | 'inactive' | 'canceled'
  readonly last4: string
  readonly exp_month: number
  readonly exp_year: number
  readonly spending_controls: object
  metadata: Metadata
  readonly created: number
  readonly livemode: false
}

export interface IssuingAuthorization extends StripeObject {
  readonly object: 'issuing.authorization'
  amount: number
  readonly currency: string
  approved: boolean
  readonly card: IssuedCard
  readonly cardholder: string
  readonly merchant_amount: number
  readonly merchant_currency: string
  /** Null once it is decided. */
  pending_request: { readonly amount: number; readonly currency: string } | null
  status: 'pending' | 'closed' | 'reversed'
  metadata: Metadata
  readonly created: number
  readonly livemode: false
}
