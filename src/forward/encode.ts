/** From the tree that policy saw to the one request that goes on the wire. Pure: the same tree is always the same bytes. */
import type { WireRequest } from '../model/intent.ts'
import type { Json, JsonObject, Operation, Params } from '../model/operation.ts'
import { type Refusal, refuse } from '../model/refusal.ts'
import { form, Inexpressible, percent, plain } from './form.ts'

export type Encoding = 'form' | 'json'

const CONTENT_TYPES = { form: 'application/x-www-form-urlencoded', json: 'application/json' } as const

/**
 * Path params fill the template; the others go into the query (GET, DELETE) or the body.
 * Refuses with `invalid_params` what has no faithful form on the wire; the detail names the param.
 */
export function encode(operation: Operation, params: Params, encoding: Encoding): WireRequest | Refusal {
  try {
    const path = fill(operation, params)
    const rest = Object.fromEntries(Object.entries(params).filter(([name]) => !operation.pathParams.includes(name)))
    if (operation.method === 'GET' || operation.method === 'DELETE') {
      const query = form(rest)
      return { method: operation.method, path: query ? `${path}?${query}` : path }
    }
    const body = encoding === 'form' ? form(rest) : JSON.stringify(rest)
    return { method: operation.method, path, content_type: CONTENT_TYPES[encoding], body }
  } catch (error) {
    if (error instanceof Inexpressible) return refuse('invalid_params', `${operation.name}: ${error.message}.`)
    throw error
  }
}

const fill = (operation: Operation, params: JsonObject): string =>
  operation.path.replace(/\{([^}]+)\}/g, (_, name: string) => segment(name, params[name]))

/**
 * One path segment. Percent-encoding is not enough: servers and proxies decode, sometimes twice, before they route, so
 * whatever could become a separator or a dot segment is refused and never escaped.
 */
function segment(name: string, value: Json | undefined): string {
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new Inexpressible(`${name} is part of the path and must be a string`)
  }
  const text = plain(name, value)
  if (text === '' || text === '.' || text === '..' || /[/\\%?#]|\p{Cc}/u.test(text)) {
    throw new Inexpressible(`${name} is part of the path and cannot be ${JSON.stringify(text)}`)
  }
  return percent(text, name)
}
