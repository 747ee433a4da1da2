/** Reads single params out of a form; each throws Stripe's own 400 for what does not fit. */
import { exponentOf, formatMoney, isCurrency } from '../model/money.ts'
import { invalidParam, missingParam } from './error.ts'
import type { Form, FormValue } from './form.ts'

/** Stripe's largest amount of one charge: eight digits. */
const AMOUNT_MAX = 99_999_999
/** Stripe's smallest charge is 0.50 in most currencies with two decimals, and some 50 units without. */
const AMOUNT_MIN = 50

export function optionalText(params: Form, name: string): string | undefined {
  const value = params[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw invalidParam('Invalid string', name, 'parameter_invalid_string')
  if (value === '') throw emptied(name)
  return value
}

export function requiredText(params: Form, name: string): string {
  const value = optionalText(params, name)
  if (value === undefined) throw missingParam(name)
  return value
}

/** For fields that an empty string unsets: undefined where absent, null where emptied. */
export function clearableText(params: Form, name: string): string | null | undefined {
  return params[name] === '' ? null : optionalText(params, name)
}

export function optionalInteger(params: Form, name: string, min: number): number | undefined {
  const text = optionalText(params, name)
  if (text === undefined) return undefined
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(value)) throw invalidParam(`Invalid integer: ${text}`, name, 'parameter_invalid_integer')
  if (value < min) {
    throw invalidParam(`This value must be greater than or equal to ${min}.`, name, 'parameter_invalid_integer')
  }
  return value
}

export function requiredInteger(params: Form, name: string, min: number): number {
  const value = optionalInteger(params, name, min)
  if (value === undefined) throw missingParam(name)
  return value
}

export function optionalBoolean(params: Form, name: string): boolean | undefined {
  const text = optionalText(params, name)
  if (text === undefined) return undefined
  if (text !== 'true' && text !== 'false')
    throw invalidParam(`Invalid boolean: ${text}`, name, 'parameter_invalid_boolean')
  return text === 'true'
}

export function optionalOneOf<T extends string>(params: Form, name: string, allowed: readonly T[]): T | undefined {
  const text = optionalText(params, name)
  if (text === undefined) return undefined
  const found = allowed.find((one) => one === text)
  if (found === undefined) {
    throw invalidParam(`Invalid ${name}: must be one of ${allowed.join(', ')}`, name, 'parameter_invalid_string_enum')
  }
  return found
}

/** ISO 4217, lower case whatever the case sent. */
export function requiredCurrency(params: Form): string {
  const currency = requiredText(params, 'currency').toLowerCase()
  if (!isCurrency(currency)) throw invalidParam(`Invalid currency: ${currency}.`, 'currency')
  return currency
}

/** What a payment may move: minor units, within Stripe's smallest and largest. */
export function requiredPayment(params: Form): { amount: number; currency: string } {
  const amount = requiredInteger(params, 'amount', 1)
  const currency = requiredCurrency(params)
  if (amount < AMOUNT_MIN && exponentOf(currency) !== 3) {
    const least = formatMoney({ value: AMOUNT_MIN, currency })
    throw invalidParam(`Amount must be at least ${least}`, 'amount', 'amount_too_small')
  }
  if (amount > AMOUNT_MAX) {
    const most = formatMoney({ value: AMOUNT_MAX, currency })
    throw invalidParam(`Amount must be no more than ${most}`, 'amount', 'amount_too_large')
  }
  return { amount, currency }
}

export function optionalForm(params: Form, name: string): Form | undefined {
  const value = params[name]
  if (value === undefined || value === '') return undefined
  if (typeof value === 'string' || Array.isArray(value)) throw invalidParam('Invalid object', name, 'parameter_unknown')
  return value as Form
}

export function optionalForms(params: Form, name: string): readonly Form[] | undefined {
  const value = params[name]
  if (value === undefined) return undefined
  const isForm = (one: FormValue): one is Form => typeof one === 'object' && !Array.isArray(one)
  if (!Array.isArray(value) || !value.every(isForm))
    throw invalidParam('Invalid array', name, 'parameter_invalid_array')
  return value
}

export type Metadata = Readonly<Record<string, string>>

/** What is sent is laid over what was there; an empty value takes its name away, an empty `metadata` takes all. */
export function metadata(params: Form, before: Metadata = {}): Metadata {
  if (params.metadata === '') return {}
  const sent = optionalForm(params, 'metadata')
  if (sent === undefined) return before
  const after: Record<string, string> = { ...before }
  for (const [name, value] of Object.entries(sent)) {
    if (typeof value !== 'string') throw invalidParam('Metadata values must be strings', `metadata[${name}]`)
    if (value === '') delete after[name]
    else after[name] = value
  }
  return after
}

const emptied = (name: string) =>
  invalidParam(
    `You passed an empty string for '${name}'. We assume empty values are an attempt to unset a parameter; however '${name}' cannot be unset.`,
    name,
    'parameter_invalid_empty',
  )
