/** What a call is really about: the money that it moves and whom it concerns, from its params and the objects that it names. */
import { isCurrency } from '../model/money.ts'
import type { Facts, Json, JsonObject, Lookup, Params } from '../model/operation.ts'
import type { Entry } from './entry.ts'
import { findAll, isObject } from './pointer.ts'
import type { AmountSource, LineSum, ReadRule } from './provider.ts'
import { ID } from './route.ts'

export type Objects = Readonly<Record<string, JsonObject>>

interface Sum {
  readonly value: number
  /** Absent where the params alone do not say it. */
  readonly currency?: string
}

const PLACE = /\{([^}]+)\}$/

/** Every value of a pointer whose first word is `params` or the name of an object that was read. */
function valuesOf(pointer: string, params: Params, objects: Objects): Json[] {
  const [first, ...rest] = pointer.split('.')
  return findAll(first === 'params' ? params : objects[first!], rest)
}

/** Providers answer with an id, or with the object itself where it was expanded. */
const idOf = (value: Json | undefined): string | undefined => {
  if (typeof value === 'string') return value
  return isObject(value) && typeof value.id === 'string' ? value.id : undefined
}

const nameOf = ({ as }: ReadRule, id: string): string => (as.endsWith('.*') ? `${as.slice(0, -1)}${id}` : as)

/** The next object to read; null once everything that can be read was. Ids only, so no caller bends the path. */
export function nextLookup(entry: Entry, params: Params, objects: Objects): Lookup | null {
  for (const read of entry.reads) {
    if (read.unless && valuesOf(read.unless, params, objects).length) continue
    const pointer = PLACE.exec(read.path)![1]!
    for (const value of valuesOf(pointer, params, objects)) {
      const id = idOf(value)
      if (!id || !ID.test(id)) continue
      const as = nameOf(read, id)
      if (!Object.hasOwn(objects, as)) return { as, path: read.path.replace(PLACE, id) }
    }
  }
  return null
}

const isAmount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

const integerAt = (pointer: string, params: Params, objects: Objects): number | undefined => {
  const [value] = valuesOf(pointer, params, objects)
  return Number.isSafeInteger(value) ? (value as number) : undefined
}

/** Where a line's price is: inline, or read under its id. */
function priceOf({ price, price_data }: JsonObject, objects: Objects): JsonObject | undefined {
  if (typeof price === 'string' && price) return objects[`price.${price}`]
  return [price, price_data].find(isObject)
}

/** Unit amount times quantity; undefined where either cannot be known (tiers, decimals, a missing price). */
function lineSum(line: JsonObject, before: JsonObject | undefined, objects: Objects): Sum | undefined {
  if (line.deleted === true) return { value: 0 }
  const price = priceOf(line, objects) ?? (before && priceOf(before, objects))
  const unit = price?.unit_amount
  const quantity = line.quantity ?? before?.quantity ?? 1
  if (!isAmount(unit) || !isAmount(quantity) || !isAmount(unit * quantity)) return undefined
  return { value: unit * quantity, ...(typeof price?.currency === 'string' ? { currency: price.currency } : {}) }
}

function sumOf({ sum, existing, rest_when = [] }: LineSum, params: Params, objects: Objects): Sum | undefined {
  const changed = sum.flatMap((pointer) => valuesOf(pointer, params, objects)).filter(isObject)
  // A change that names no line moves no line's money; something new without a line has a price that nobody knows.
  if (!changed.length && !existing) return undefined
  const known = existing ? valuesOf(existing, params, objects).filter(isObject) : []
  const isSame = (a: JsonObject, b: JsonObject): boolean => a.id !== undefined && a.id === b.id
  // A list of lines is searched by id; a pointer without `*` is the one line that the params change.
  const beforeOf = (line: JsonObject): JsonObject | undefined =>
    existing?.endsWith('*') ? known.find((each) => isSame(each, line)) : known[0]
  const billsAll = rest_when.some((pointer) => valuesOf(pointer, params, objects).length)
  const rest = billsAll ? known.filter((each) => !changed.some((line) => isSame(each, line))) : []
  let value = 0
  let currency: string | undefined
  for (const line of [...changed, ...rest]) {
    const one = lineSum(line, beforeOf(line), objects)
    if (!one) return undefined
    if (one.currency && currency && one.currency !== currency) return undefined
    currency ??= one.currency
    value += one.value
  }
  return isAmount(value) ? { value, ...(currency ? { currency } : {}) } : undefined
}

function amountOf(source: AmountSource, params: Params, objects: Objects): Sum | undefined {
  if (typeof source === 'string') {
    const value = integerAt(source, params, objects)
    return value === undefined ? undefined : { value }
  }
  if ('sum' in source) return sumOf(source, params, objects)
  if ('magnitude' in source) {
    const value = integerAt(source.magnitude, params, objects)
    return value === undefined ? undefined : { value: Math.abs(value) }
  }
  const whole = integerAt(source.value, params, objects)
  const less = integerAt(source.less, params, objects)
  return whole === undefined || less === undefined ? undefined : { value: whole - less }
}

/**
 * The first pointer that has a value. A param never speaks for an object that was read: a refund of a guest's charge does
 * not become a customer's because the caller says so.
 */
function firstId(pointers: readonly string[], params: Params, objects: Objects): string | undefined {
  const wasRead = pointers.some((pointer) => Object.hasOwn(objects, pointer.split('.')[0]!))
  for (const pointer of pointers) {
    if (wasRead && pointer.startsWith('params.')) continue
    const id = idOf(valuesOf(pointer, params, objects)[0])
    if (id) return id
  }
  return undefined
}

function moneyOf(entry: Entry, params: Params, objects: Objects): Facts['amount'] {
  if (!entry.cost) return undefined
  let amount: Sum | undefined
  for (const source of entry.cost.amount) amount ??= amountOf(source, params, objects)
  const named = firstId(entry.cost.currency, params, objects)
  // A price in another currency than the call's own is not the price that will be charged.
  if (!amount || (amount.currency && named && amount.currency !== named)) return undefined
  const currency = amount.currency ?? named
  return isAmount(amount.value) && currency && isCurrency(currency) ? { value: amount.value, currency } : undefined
}

/** `amount` is absent where the operation costs nothing, and where what it would cost cannot be known. */
export function factsOf(entry: Entry, params: Params, objects: Objects): Facts {
  const amount = moneyOf(entry, params, objects)
  const customer = firstId(entry.customer, params, objects)
  return { ...(amount ? { amount } : {}), ...(customer ? { customer } : {}) }
}
