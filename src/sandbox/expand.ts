/** `expand[]`: ids that an answer shows as the objects that they name. Checked before the call runs. */
import type { AccountState } from './account.ts'
import { invalidParam, StripeError } from './error.ts'
import type { Form } from './form.ts'

/** By object, the fields that expand and the object that each becomes. */
const EXPANDABLE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  charge: { customer: 'customer', payment_intent: 'payment_intent' },
  customer: { default_source: 'card' },
  invoice: { customer: 'customer', default_payment_method: 'payment_method' },
  payment_intent: { customer: 'customer', latest_charge: 'charge', payment_method: 'payment_method' },
  payment_method: { customer: 'customer' },
  price: { product: 'product' },
  product: { default_price: 'price' },
  refund: { charge: 'charge', payment_intent: 'payment_intent' },
  subscription: { customer: 'customer', default_payment_method: 'payment_method', latest_invoice: 'invoice' },
  'issuing.authorization': { cardholder: 'issuing.cardholder' },
}
const DEPTH_MAX = 4

type Path = readonly string[]

/** Throws Stripe's 400 for a path that does not expand. `answers` is the object answered, `list` whether a page of them. */
export function expansions(params: Form, answers: string, list: boolean): readonly Path[] {
  const sent = params.expand
  if (sent === undefined || sent === '') return []
  if (!Array.isArray(sent) || !sent.every((path) => typeof path === 'string')) {
    throw invalidParam('Invalid array', 'expand', 'parameter_invalid_array')
  }
  return sent.map((text: string) => {
    const path = text.split('.')
    if (path.length > DEPTH_MAX) throw refused(`You cannot expand more than ${DEPTH_MAX} levels of a property.`)
    let object: string | undefined = answers
    for (const [depth, field] of path.entries()) {
      if (list && depth === 0 && field === 'data') continue
      const fields: Readonly<Record<string, string>> | undefined = list && depth === 0 ? undefined : EXPANDABLE[object!]
      object = fields && Object.hasOwn(fields, field) ? fields[field] : undefined
      if (object === undefined) throw refused(`This property cannot be expanded (${text}).`)
    }
    return path
  })
}

/** A copy along the paths; the stored objects stay as they are. */
export function expand(answer: object, paths: readonly Path[], account: AccountState): object {
  return paths.reduce((object, path) => expandOne(object, path, account) as object, answer)
}

function expandOne(value: unknown, path: Path, account: AccountState): unknown {
  const [field, ...rest] = path
  if (field === undefined || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((one) => expandOne(one, path, account))
  const held = (value as Record<string, unknown>)[field]
  const kind = EXPANDABLE[(value as { object: string }).object]?.[field]
  const named = typeof held === 'string' && kind ? account.collectionOf(kind)?.find(held) : held
  return { ...value, [field]: expandOne(named ?? held, rest, account) }
}

const refused = (message: string): StripeError =>
  new StripeError(400, { type: 'invalid_request_error', message }, 'validation')
