/** Everything that one Stripe account holds: the platform's, and that of each connected account. */
import { Collection, type StripeObject } from './collection.ts'
import type {
  Cardholder,
  Charge,
  ConnectedAccount,
  Customer,
  Invoice,
  InvoiceItem,
  IssuedCard,
  IssuingAuthorization,
  PaymentIntent,
  PaymentMethod,
  Price,
  Product,
  Refund,
  SourceCard,
  Subscription,
} from './objects.ts'

export class AccountState {
  /** `platform`, or `acct_…`. */
  readonly id: string
  readonly accounts = new Collection<ConnectedAccount>('account')
  readonly cards = new Collection<SourceCard>('source')
  readonly cardholders = new Collection<Cardholder>('cardholder')
  readonly charges = new Collection<Charge>('charge')
  readonly customers = new Collection<Customer>('customer')
  readonly invoice_items = new Collection<InvoiceItem>('invoiceitem')
  readonly invoices = new Collection<Invoice>('invoice')
  readonly issued_cards = new Collection<IssuedCard>('issuing card')
  readonly authorizations = new Collection<IssuingAuthorization>('issuing authorization')
  readonly payment_intents = new Collection<PaymentIntent>('payment_intent')
  readonly payment_methods = new Collection<PaymentMethod>('PaymentMethod')
  readonly prices = new Collection<Price>('price')
  readonly products = new Collection<Product>('product')
  readonly refunds = new Collection<Refund>('refund')
  readonly subscriptions = new Collection<Subscription>('subscription')
  /** Minor units by currency; may go below zero, as a Stripe balance may. */
  readonly balance = new Map<string, number>([['usd', 0]])

  constructor(id: string) {
    this.id = id
  }

  /** Adds to the balance; minor units, negative for what leaves. */
  move(currency: string, amount: number): void {
    this.balance.set(currency, (this.balance.get(currency) ?? 0) + amount)
  }

  /** Where objects of a kind are, by the `object` field that they bear; for `expand`. */
  collectionOf(object: string): Collection<StripeObject> | undefined {
    return this.#byObject[object]
  }

  readonly #byObject: Readonly<Record<string, Collection<StripeObject>>> = {
    card: this.cards as Collection<StripeObject>,
    charge: this.charges as Collection<StripeObject>,
    customer: this.customers as Collection<StripeObject>,
    invoice: this.invoices as Collection<StripeObject>,
    'issuing.card': this.issued_cards as Collection<StripeObject>,
    'issuing.cardholder': this.cardholders as Collection<StripeObject>,
    payment_intent: this.payment_intents as Collection<StripeObject>,
    payment_method: this.payment_methods as Collection<StripeObject>,
    price: this.prices as Collection<StripeObject>,
    product: this.products as Collection<StripeObject>,
    refund: this.refunds as Collection<StripeObject>,
    subscription: this.subscriptions as Collection<StripeObject>,
  }
}
