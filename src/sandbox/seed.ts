/** What a sandbox holds before anything arrives: lists of objects with ids of one's choice, defaults filled in. */
import type { AccountState } from './account.ts'
import type { StripeObject } from './collection.ts'
import { notPermitted } from './error.ts'
import type {
  Cardholder,
  Charge,
  ConnectedAccount,
  Customer,
  Invoice,
  PaymentIntent,
  PaymentMethod,
  Price,
  Product,
  Refund,
  SourceCard,
} from './objects.ts'
import { connectedAccount } from './resources/accounts.ts'
import { charge } from './resources/charges.ts'
import { customer } from './resources/customers.ts'
import { invoice, line } from './resources/invoices.ts'
import { cardholder, issuedCard, issuingAuthorization } from './resources/issuing.ts'
import { paymentIntent } from './resources/payment-intents.ts'
import { paymentMethod, sourceCard } from './resources/payment-methods.ts'
import { price, product } from './resources/products.ts'
import { refund } from './resources/refunds.ts'
import { item, itemsOf, subscription } from './resources/subscriptions.ts'

type Some<T, Required extends keyof T> = Partial<T> & Pick<T, Required | (keyof T & 'id')>

/** Amounts in minor units. Whatever names another object names it by its id; the order of the lists does not matter. */
export interface Seed {
  readonly accounts?: readonly Some<ConnectedAccount, never>[]
  readonly cards?: readonly Some<SourceCard, never>[]
  readonly cardholders?: readonly Some<Cardholder, 'name'>[]
  readonly charges?: readonly Some<Charge, 'amount' | 'currency'>[]
  readonly customers?: readonly Some<Customer, never>[]
  readonly invoices?: readonly (Some<Invoice, 'customer' | 'currency'> & { readonly amount: number })[]
  readonly issued_cards?: readonly { readonly id: string; readonly cardholder: string; readonly currency: string }[]
  readonly authorizations?: readonly { readonly id: string; readonly card: string; readonly amount: number }[]
  readonly payment_intents?: readonly Some<PaymentIntent, 'amount' | 'currency'>[]
  readonly payment_methods?: readonly Some<PaymentMethod, never>[]
  readonly prices?: readonly Some<Price, 'currency' | 'product' | 'unit_amount'>[]
  readonly products?: readonly Some<Product, 'name'>[]
  readonly refunds?: readonly Some<Refund, 'amount' | 'currency' | 'charge'>[]
  /** Active, on one recurring price. */
  readonly subscriptions?: readonly { readonly id: string; readonly customer: string; readonly price: string }[]
}

/** Each list's planter, in an order in which what is named comes before what names it. */
const PLANTERS: { readonly [List in keyof Seed]-?: Planter<NonNullable<Seed[List]>[number]> } = {
  accounts: { needs: [], plant: (account, now, fields) => account.accounts.insert(connectedAccount(now, fields)) },
  cards: { needs: [], plant: (account, _now, fields) => account.cards.insert(sourceCard(fields)) },
  cardholders: {
    needs: ['name'],
    plant: (account, now, fields) => account.cardholders.insert(cardholder(now, fields)),
  },
  customers: { needs: [], plant: (account, now, fields) => account.customers.insert(customer(now, fields)) },
  payment_methods: {
    needs: [],
    plant: (account, now, fields) => account.payment_methods.insert(paymentMethod(now, fields)),
  },
  products: { needs: ['name'], plant: (account, now, fields) => account.products.insert(product(now, fields)) },
  prices: {
    needs: ['currency', 'product', 'unit_amount'],
    plant: (account, now, fields) => account.prices.insert(price(now, fields)),
  },
  charges: {
    needs: ['amount', 'currency'],
    plant(account, now, fields) {
      const planted = account.charges.insert(charge(now, fields))
      account.move(planted.currency, planted.amount_captured - planted.amount_refunded)
      return planted
    },
  },
  payment_intents: {
    needs: ['amount', 'currency'],
    plant: (account, now, fields) => account.payment_intents.insert(paymentIntent(now, fields)),
  },
  refunds: {
    needs: ['amount', 'currency', 'charge'],
    plant: (account, now, fields) => account.refunds.insert(refund(now, fields)),
  },
  subscriptions: {
    needs: ['customer', 'price'],
    plant(account, now, { id, customer, price }) {
      const sold = account.prices.get(price, 'price')
      if (sold.recurring === null) throw notPermitted(`The price ${price} is not recurring.`)
      const items = itemsOf([item(now, sold, 1)])
      return account.subscriptions.insert(subscription(now, { id, customer, currency: sold.currency, items }))
    },
  },
  invoices: {
    needs: ['amount', 'currency', 'customer'],
    plant(account, now, { amount, ...fields }) {
      return account.invoices.insert(invoice(now, [line(amount, fields.currency, null)], fields))
    },
  },
  issued_cards: {
    needs: ['cardholder', 'currency'],
    plant(account, now, fields) {
      const holder = account.cardholders.get(fields.cardholder, 'cardholder')
      return account.issued_cards.insert(issuedCard(now, { status: 'active', ...fields, cardholder: holder }))
    },
  },
  authorizations: {
    needs: ['card', 'amount'],
    plant(account, now, { id, card, amount }) {
      const of = account.issued_cards.get(card, 'card')
      return account.authorizations.insert(issuingAuthorization(now, of, amount, { id }))
    },
  },
}

interface Planter<Fields> {
  readonly needs: readonly (keyof Fields & string)[]
  readonly plant: (account: AccountState, now: number, fields: Fields) => StripeObject
}

const LISTS = Object.keys(PLANTERS) as (keyof Seed)[]

/** Puts the objects in, in place of any that bear the same ids, and answers how many; no effect is recorded. */
export function plant(account: AccountState, seed: Seed): number {
  const now = Math.floor(Date.now() / 1000)
  let planted = 0
  for (const list of LISTS) {
    const { plant: put } = PLANTERS[list] as Planter<unknown>
    for (const fields of seed[list] ?? []) {
      // Objects change in place: a seed that is planted again must still be as it was written.
      put(account, now, structuredClone(fields))
      planted++
    }
  }
  return planted
}

/** Reads a seed out of JSON; answers what is wrong with it as a sentence. */
export function readSeed(sent: unknown): Seed | string {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return 'a seed is an object of lists'
  for (const [list, members] of Object.entries(sent)) {
    if (!LISTS.includes(list as keyof Seed)) return `there is no list ${list}; lists are ${LISTS.join(', ')}`
    if (!Array.isArray(members)) return `${list} is a list of objects`
    const needs: readonly string[] = ['id', ...PLANTERS[list as keyof Seed].needs]
    for (const [index, member] of members.entries()) {
      const missing = needs.filter((name) => member?.[name] === undefined)
      if (missing.length > 0) return `${list}[${index}] needs ${missing.join(', ')}`
    }
  }
  return sent as Seed
}
