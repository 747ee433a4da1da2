/**
 * AuthZEN's four entities as one question to policy. Nothing in it is believed before the judge has checked it; what has no
 * place in the input (other properties of the subject, other fields of the context) is left out, as the standard asks.
 */
import { defined } from '../model/defined.ts'
import type { JsonObject, Operation } from '../model/operation.ts'
import { type Refusal, refuse } from '../model/refusal.ts'

export interface OperationNames {
  readonly isProvider: (name: string) => boolean
  /** By name, by alias, or by action (`stripe:refunds:create`); undefined where none or several have it. */
  readonly operation: (provider: string, name: string) => Operation | undefined
}

/** Fields of the context that have a place in the input; the others are the asker's own affair. */
const FROM_CONTEXT = [
  ...(['run', 'turn', 'occurrence', 'correlation_id', 'project', 'organisation'] as const),
  ...(['amount', 'customer', 'spend', 'group', 'effect'] as const),
]

/** A question as `schemas/decision-input.json` has it, in part; or why this is no request of AuthZEN. */
export function questionOf(request: JsonObject, names: OperationNames): JsonObject | Refusal {
  const { subject, action, resource, context = {} } = request
  const wrong =
    wrongWith('subject', subject, ['type', 'id']) ??
    wrongWith('action', action, ['name']) ??
    wrongWith('resource', resource, ['type', 'id']) ??
    wrongWith('context', context, [])
  if (wrong) return refuse('malformed_request', wrong, { fix: FIX })
  const who = subject as unknown as Entity
  const what = action as unknown as { readonly name: string; readonly properties?: JsonObject }
  const which = resource as unknown as Entity
  const around = context as JsonObject

  const [first = ''] = what.name.split(':', 1)
  const provider = names.isProvider(first) ? first : which.type
  const operation = names.operation(provider, what.name)
  const params = paramsOf([
    ['resource.properties', which.properties],
    ['action.properties', what.properties],
    ['context.params', around.params as JsonObject | undefined],
    ['resource.id', operation && named(operation, which)],
  ])
  if (typeof params === 'string') return refuse('malformed_request', params, { fix: FIX })
  return {
    ...pick(around, FROM_CONTEXT),
    ...{ provider, operation: operation?.name ?? what.name, params },
    ...(!operation && { resource: which.id }),
    agent: defined({ id: who.id, role: who.properties?.role }),
  }
}

interface Entity {
  readonly type: string
  readonly id: string
  readonly properties?: JsonObject
}

const FIX =
  'Send {"subject": {"type", "id"}, "action": {"name"}, "resource": {"type", "id"}, "context"?}, each with properties if need be.'

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function wrongWith(name: string, entity: unknown, fields: readonly string[]): string | undefined {
  if (entity === undefined) return `The request has no ${name}.`
  if (!isObject(entity)) return `The ${name} is not an object.`
  const missing = fields.find((field) => typeof entity[field] !== 'string' || entity[field] === '')
  if (missing) return `The ${name} has no text ${missing}.`
  const inside = name === 'context' ? entity.params : entity.properties
  if (inside !== undefined && !isObject(inside))
    return `The ${name} has ${name === 'context' ? 'params' : 'properties'} that are no object.`
  return undefined
}

/** The object that a call is about, as the param that the operation has for it: its path's, or the one of the type's name. */
function named({ pathParams, params }: Operation, { type, id }: Entity): JsonObject | undefined {
  if (pathParams.length === 1) return { [pathParams[0]!]: id }
  const known = params.properties
  return isObject(known) && Object.hasOwn(known, type) ? { [type]: id } : undefined
}

type Source = readonly [where: string, params: JsonObject | undefined]

/** A param may be said in several places, but not in two ways: policy would judge one and the caller mean the other. */
function paramsOf(sources: readonly Source[]): JsonObject | string {
  const params: Record<string, JsonObject[string]> = {}
  for (const [where, said] of sources) {
    for (const [name, value] of Object.entries(said ?? {})) {
      if (Object.hasOwn(params, name) && JSON.stringify(params[name]) !== JSON.stringify(value))
        return `The param ${JSON.stringify(name)} of ${where} was said before with another value.`
      params[name] = value
    }
  }
  return params
}

const pick = (from: JsonObject, fields: readonly string[]): JsonObject =>
  Object.fromEntries(fields.flatMap((field) => (from[field] === undefined ? [] : [[field, from[field]]])))
