/** Reads a form body or a query string in Stripe's bracket form into the tree that the operation's schema types. */
import type { Json, JsonObject, JsonSchema, Operation } from '../model/operation.ts'
import { isRefusal, type Refusal, refuse } from '../model/refusal.ts'
import { LIMITS, type Limits, textOf } from './json.ts'
import { isForbiddenName, wrongWith } from './text.ts'

/** Before types: a text, or named children in the order in which they came. */
type RawNode = string | Map<string, RawNode>

/** `items[0][price]` → `items`, `0`, `price`; undefined for unbalanced brackets. */
const NAME = /^([^[\]]+)((?:\[[^[\]]*\])*)$/

const malformed = (detail: string): Refusal => refuse('malformed_request', detail)

/** Strict: `%zz` and bytes that are not UTF-8 are undefined, never passed on as they are. */
function decode(text: string): string | undefined {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return undefined
  }
}

/** A name for a message: short, and without what a terminal would obey. */
const shown = (name: string): string => JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name)

function insert(root: Map<string, RawNode>, name: string, value: string, limits: Limits): Refusal | undefined {
  const match = NAME.exec(name)
  if (!match) return malformed(`The param name ${shown(name)} has unbalanced brackets.`)
  const brackets = match[2]!
  const steps = [match[1]!, ...(brackets ? brackets.slice(1, -1).split('][') : [])]
  if (steps.length > limits.depth_max) {
    return refuse('request_too_large', `A param is nested deeper than ${limits.depth_max} levels.`)
  }
  let node = root
  for (const [index, step] of steps.entries()) {
    if (isForbiddenName(step)) return malformed(`The form has the name ${step}, which is no param's.`)
    const isLast = index === steps.length - 1
    if (step === '' && !isLast) {
      return malformed(`The param name ${shown(name)} has empty brackets in the middle; number the elements instead.`)
    }
    // `expand[]=a&expand[]=b` appends; the key keeps the order and cannot be written by a caller.
    const key = step === '' ? `[${node.size}]` : step
    const child = node.get(key)
    if (isLast) {
      if (child !== undefined) return malformed(`The form has ${shown(name)} twice.`)
      node.set(key, value)
    } else if (typeof child === 'string') {
      return malformed(`The form has ${shown(name)} both as one value and with brackets.`)
    } else {
      const next = child ?? new Map<string, RawNode>()
      node.set(key, next)
      node = next
    }
  }
  return undefined
}

function rawTree(text: string, limits: Limits): Map<string, RawNode> | Refusal {
  const root = new Map<string, RawNode>()
  if (text === '') return root
  const pairs = text.split('&', limits.params_max + 1)
  if (pairs.length > limits.params_max) {
    return refuse('request_too_large', `The form has more than ${limits.params_max} params.`)
  }
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    if (equals <= 0) return malformed('The form has a pair that is not name=value.')
    const name = decode(pair.slice(0, equals))
    const value = decode(pair.slice(equals + 1))
    if (name === undefined || value === undefined) {
      return malformed('The form has a percent-escape that is not one, or does not decode to UTF-8.')
    }
    const wrong = wrongWith(name) ?? wrongWith(value)
    if (wrong) return malformed(`A param of the form ${wrong}.`)
    const refusal = insert(root, name, value, limits)
    if (refusal) return refusal
  }
  return root
}

const branchesOf = (schema: JsonSchema): readonly JsonSchema[] =>
  (schema.anyOf as readonly JsonSchema[] | undefined) ?? [schema]

const INTEGER = /^(0|-?[1-9][0-9]*)$/
const DECIMAL = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?$/

/** The text as the schema's type, where it is exactly that; else the text, for validation to refuse by name. */
function typed(text: string, schema: JsonSchema): Json {
  for (const branch of branchesOf(schema)) {
    if (branch.type === 'integer' && INTEGER.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
    if (branch.type === 'number' && text !== '-0' && DECIMAL.test(text)) return Number(text)
    if (branch.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  }
  return text
}

const isList = (keys: readonly string[]): boolean => keys.every((key) => /^(\[[0-9]+\]|0|[1-9][0-9]{0,3})$/.test(key))

function elements(node: Map<string, RawNode>, where: string): RawNode[] | Refusal {
  const keys = [...node.keys()]
  const isAppended = keys[0]!.startsWith('[')
  if (keys.some((key) => key.startsWith('[') !== isAppended)) {
    return malformed(`The elements of ${where} are partly numbered and partly not.`)
  }
  if (isAppended) return [...node.values()]
  return keys.every((_, index) => node.has(String(index)))
    ? keys.map((_, index) => node.get(String(index))!)
    : malformed(`The elements of ${where} are not numbered from 0 without a gap.`)
}

/** Schemas of the node's children come from the branch that can hold children, so that texts below get their types. */
function convert(node: RawNode, schema: JsonSchema, where: string): Json | Refusal {
  if (typeof node === 'string') return typed(node, schema)
  const branches = branchesOf(schema)
  const asArray = branches.find(({ type }) => type === 'array')
  const objects = branches.filter(({ type }) => type === 'object')
  const keys = [...node.keys()]
  if (asArray && isList(keys)) {
    const nodes = elements(node, where)
    if (isRefusal(nodes)) return nodes
    const list: Json[] = []
    for (const [index, each] of nodes.entries()) {
      const value = convert(each, (asArray.items as JsonSchema | undefined) ?? {}, `${where}[${index}]`)
      if (isRefusal(value)) return value
      list.push(value)
    }
    return list
  }
  const isKnown = Object.keys(schema).length > 0
  if (isKnown && !objects.length) {
    return refuse(
      'invalid_params',
      `The param ${where} is ${asArray ? 'a list' : 'one value'}, and was sent with names in brackets.`,
    )
  }
  const entries: [string, Json][] = []
  for (const [key, child] of node) {
    if (key.startsWith('['))
      return refuse('invalid_params', `The param ${where} is no list, and was sent with empty brackets.`)
    const value = convert(child, childSchema(objects, key), `${where}[${key}]`)
    if (isRefusal(value)) return value
    entries.push([key, value])
  }
  return Object.fromEntries(entries)
}

function childSchema(objects: readonly JsonSchema[], key: string): JsonSchema {
  for (const { properties, additionalProperties } of objects) {
    if (properties && Object.hasOwn(properties, key)) return (properties as Record<string, JsonSchema>)[key]!
    if (typeof additionalProperties === 'object') return additionalProperties as JsonSchema
  }
  return {}
}

/**
 * Params of a form body or query string, with those of the path. Refuses what two parsers could read in two ways
 * (`malformed_request`), a bracket where the schema has none (`invalid_params`) and what is beyond the limits.
 * What does not fit its type stays text; validation then refuses it.
 */
export function parseForm(
  bytes: Buffer | string,
  operation: Operation,
  pathParams: Readonly<Record<string, string>> = {},
  limits: Limits = LIMITS,
): JsonObject | Refusal {
  const text = textOf(bytes)
  if (text === undefined) return malformed('The form is not valid UTF-8.')
  const tree = rawTree(text, limits)
  if (isRefusal(tree)) return tree
  const params: [string, Json][] = Object.entries(pathParams)
  for (const [name, node] of tree) {
    if (Object.hasOwn(pathParams, name)) {
      return refuse('invalid_params', `The param ${name} is part of the path, and was sent in the form as well.`)
    }
    const value = convert(node, childSchema([operation.params], name), name)
    if (isRefusal(value)) return value
    params.push([name, value])
  }
  return Object.fromEntries(params)
}
