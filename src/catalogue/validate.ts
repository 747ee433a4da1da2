/** Params against the operation's schema, and in the one form that policy, fingerprint and provider all see. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { isCurrency } from '../model/money.ts'
import type { Json, JsonObject, JsonSchema, Params } from '../model/operation.ts'
import { isRefusal, type Refusal, refuse } from '../model/refusal.ts'
import { closest } from './closest.ts'
import type { Entry } from './entry.ts'
import { wrongExpand } from './expand.ts'
import { LIMITS } from './json.ts'
import { findAll, isObject } from './pointer.ts'
import { redactText } from './redact.ts'
import { ID } from './route.ts'
import { isForbiddenName, wrongWith } from './text.ts'

const ajv = new Ajv2020({
  strict: false,
  verbose: true,
  messages: false,
  validateSchema: false,
  meta: false,
  addUsedSchema: false,
  code: { optimize: false },
})
ajv.addFormat('currency', isCurrency)
ajv.addFormat('decimal', /^-?[0-9]+(\.[0-9]+)?$/)

/**
 * Compiled at first use and one top-level param at a time: a payment intent's whole schema would stop the event loop for a
 * tenth of a second, for params that nearly nobody sends.
 */
const validators = new WeakMap<JsonSchema, ValidateFunction>()

function validatorOf(schema: JsonSchema): ValidateFunction {
  let validator = validators.get(schema)
  if (!validator) {
    validator = ajv.compile(schema)
    validators.set(schema, validator)
  }
  return validator
}

const invalid = (detail: string): Refusal => refuse('invalid_params', detail)

/** Currencies are lower case on the wire; upper case is so common that it is mended rather than refused. */
const isCurrencyName = (name: string): boolean => name === 'currency' || name.endsWith('_currency')

interface Count {
  left: number
}

/** A copy in normal form: NFC text, lower-case currencies, plain data only. */
function normalise(value: unknown, where: string, name: string, depth: number, count: Count): Json | Refusal {
  if (--count.left < 0) return refuse('request_too_large', `There are more than ${LIMITS.params_max} params.`)
  if (depth > LIMITS.depth_max) {
    return refuse('request_too_large', `The params are nested deeper than ${LIMITS.depth_max} levels.`)
  }
  if (typeof value === 'string') {
    const wrong = wrongWith(value)
    if (wrong) return invalid(`The param ${where} ${wrong}.`)
    const text = value.normalize('NFC')
    return isCurrencyName(name) ? text.toLowerCase() : text
  }
  if (typeof value === 'number') {
    const isExact = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
    return isExact && !Object.is(value, -0)
      ? value
      : invalid(`The param ${where} is no number that can be sent exactly.`)
  }
  if (typeof value === 'boolean' || value === null) return value
  if (Array.isArray(value)) {
    const list: Json[] = []
    for (const [index, each] of value.entries()) {
      const one = normalise(each, `${where}[${index}]`, name, depth + 1, count)
      if (isRefusal(one)) return one
      list.push(one)
    }
    return list
  }
  if (typeof value !== 'object') return invalid(`The param ${where} is missing its value.`)
  return normaliseObject(value as object, where, depth, count)
}

function normaliseObject(value: object, where: string, depth: number, count: Count): JsonObject | Refusal {
  const entries: [string, Json][] = []
  for (const [key, each] of Object.entries(value)) {
    const wrong = isForbiddenName(key) ? 'is no name of a param' : wrongWith(key)
    if (wrong)
      return invalid(`The name ${JSON.stringify(redactText(key).slice(0, 40))}${where && ` in ${where}`} ${wrong}.`)
    const one = normalise(each, where ? `${where}.${key}` : key, key, depth + 1, count)
    if (isRefusal(one)) return one
    entries.push([key.normalize('NFC'), one])
  }
  return Object.fromEntries(entries)
}

const VALUES_SHOWN_MAX = 12
const SHOWN_LENGTH_MAX = 60

/** What was sent, for a message: numbers and short plain words as they are, everything else by its type. */
function sentAs(value: unknown, isSecret: boolean): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'boolean') return String(value)
  if (isSecret) return `a ${typeof value}`
  const text = String(value)
  const isPlain = text.length <= SHOWN_LENGTH_MAX && /^[\x20-\x7e]*$/.test(text) && redactText(text) === text
  if (typeof value === 'number') return isPlain ? text : 'a number'
  return isPlain ? JSON.stringify(text) : 'a string'
}

const TYPES: Readonly<Record<string, string>> = {
  integer: 'an integer',
  number: 'a number',
  string: 'a string',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
}

/** What would fit, in words. */
function fitting(schema: JsonSchema): string {
  if (Array.isArray(schema.anyOf)) return [...new Set((schema.anyOf as JsonSchema[]).map(fitting))].join(' or ')
  if (Array.isArray(schema.enum)) {
    const words = (schema.enum as unknown[]).filter((each) => each !== '').map(String)
    const more = words.length > VALUES_SHOWN_MAX ? ', …' : ''
    return `one of ${words.slice(0, VALUES_SHOWN_MAX).join(', ')}${more}`
  }
  if (schema.const === '') return 'an empty string'
  if (schema.format === 'currency') return 'an ISO 4217 currency'
  if (schema.format === 'decimal') return 'a decimal in a string'
  return TYPES[String(schema.type)] ?? 'something else'
}

const dotted = (instancePath: string): string[] =>
  instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))

const depthOf = ({ instancePath }: ErrorObject): number => instancePath.split('/').length

/** Errors inside a value whose type was right, so that the branch was meant. */
const INNER = new Set(['additionalProperties', 'required', 'maxLength'])

/**
 * With alternatives, the branch that came furthest is the one that was meant; where none came further, the last error
 * speaks of all of them.
 */
function mostTelling(errors: readonly ErrorObject[]): ErrorObject {
  const outermost = errors.at(-1)!
  const inner = errors.find((each) => INNER.has(each.keyword))
  const furthest = errors.reduce((best, each) => (depthOf(each) > depthOf(best) ? each : best), inner ?? outermost)
  return depthOf(furthest) >= depthOf(outermost) ? furthest : outermost
}

/** `Object.hasOwn` asks for own names only, so that a param called `toString` is unknown. */
function wrongParam(entry: Entry, tree: JsonObject): string | undefined {
  const { name: operation, params } = entry.operation
  const properties = params.properties as Record<string, JsonSchema>
  for (const [name, value] of Object.entries(tree)) {
    if (!Object.hasOwn(properties, name))
      return unknownName(`The operation ${operation}`, name, Object.keys(properties))
    const validator = validatorOf(properties[name]!)
    if (!validator(value)) return explain(entry, name, validator.errors!)
  }
  const missing = ((params.required as readonly string[] | undefined) ?? []).find((name) => !Object.hasOwn(tree, name))
  return missing && `The operation ${operation} needs the param ${missing}, and it is missing.`
}

function unknownName(named: string, name: string, known: readonly string[]): string {
  const meant = closest(name, known)
  return `${named} has no param ${JSON.stringify(redactText(name).slice(0, 60))}${meant ? `; did you mean ${meant}?` : '.'}`
}

function explain(entry: Entry, name: string, errors: readonly ErrorObject[]): string {
  const error = mostTelling(errors)
  const where = [name, ...dotted(error.instancePath)].join('.')
  const { params, parentSchema } = error
  if (error.keyword === 'required') return `The param ${where} needs ${params.missingProperty}, and it is missing.`
  if (error.keyword === 'additionalProperties') {
    const known = Object.keys((parentSchema as { properties?: object }).properties ?? {})
    return unknownName(`The param ${where}`, String(params.additionalProperty), known)
  }
  if (error.keyword === 'maxLength') return `The param ${where} is longer than ${params.limit} characters.`
  const last = where.split('.').at(-1)!
  const isSecret = entry.operation.redact.some((pointer) => pointer.split('.').at(-1) === last)
  return `The param ${where} must be ${fitting(parentSchema as JsonSchema)}; ${sentAs(error.data, isSecret)} was sent.`
}

/**
 * Params that passed, or `invalid_params` with the param, what was sent and what fits, or `request_too_large`.
 * Secrets are never echoed.
 */
export function validate(entry: Entry, params: unknown): Params | Refusal {
  const { operation } = entry
  if (entry.refused) return invalid(`${operation.name} cannot be called through the gateway: ${entry.refused}.`)
  if (!isObject(params))
    return invalid(`The params of ${operation.name} must be an object; ${sentAs(params, true)} was sent.`)
  const tree = normaliseObject(params, '', 0, { left: LIMITS.params_max + 1 })
  if (isRefusal(tree)) return tree

  const wrong = wrongParam(entry, tree)
  if (wrong) return invalid(wrong)

  for (const name of entry.positive) {
    const amount = tree[name]
    if (typeof amount === 'number' && amount < 1) {
      return invalid(`The param ${name} must be an integer of at least 1, in minor units; ${amount} was sent.`)
    }
  }
  for (const name of operation.pathParams) {
    if (!ID.test(String(tree[name]))) return invalid(`The param ${name} is not an id: letters, digits, _ - and . only.`)
  }
  for (const pointer of entry.ids) {
    for (const value of findAll(tree, pointer.split('.').slice(1))) {
      if (value !== '' && typeof value === 'string' && !ID.test(value)) {
        return invalid(`The param ${pointer.slice('params.'.length)} is not an id: letters, digits, _ - and . only.`)
      }
    }
  }
  const unexpandable = wrongExpand(entry, tree.expand)
  if (unexpandable !== undefined) {
    return invalid(`The param expand names ${sentAs(unexpandable, false)}, which ${operation.name} does not expand.`)
  }
  return tree as Params
}
