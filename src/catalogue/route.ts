/** Which operation a raw method and path are. Judged before any URL parser smooths the path over. */
import { oddity } from '../model/path.ts'
import { type Refusal, refuse } from '../model/refusal.ts'
import type { Entry } from './entry.ts'

/** Ids go into paths, so they hold nothing that a path could read as its own. */
export const ID = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,254}$/

interface RouteNode {
  readonly statics: Map<string, RouteNode>
  param?: RouteNode
  readonly byMethod: Map<string, Entry>
}

const newNode = (): RouteNode => ({ statics: new Map(), byMethod: new Map() })

interface Routed {
  readonly entry: Entry
  readonly pathParams: Readonly<Record<string, string>>
}

export type Router = (method: string, rawPath: string) => Routed | Refusal

/** A segment map: static segments win over parameters, and a dead end falls back to the parameter. */
export function buildRouter(provider: string, entries: readonly Entry[]): Router {
  const root = newNode()
  for (const entry of entries) {
    let node = root
    for (const segment of entry.operation.path.split('/').slice(1)) {
      if (segment.startsWith('{')) {
        node.param ??= newNode()
        node = node.param
      } else {
        if (!node.statics.has(segment)) node.statics.set(segment, newNode())
        node = node.statics.get(segment)!
      }
    }
    node.byMethod.set(entry.operation.method, entry)
  }

  const find = (node: RouteNode, segments: readonly string[], at: number, values: string[]): RouteNode | undefined => {
    if (at === segments.length) return node.byMethod.size ? node : undefined
    const fixed = node.statics.get(segments[at]!)
    const found = fixed && find(fixed, segments, at + 1, values)
    if (found || !node.param) return found
    values.push(segments[at]!)
    const byParam = find(node.param, segments, at + 1, values)
    if (!byParam) values.pop()
    return byParam
  }

  return (method, rawPath) => {
    const end = rawPath.indexOf('?')
    const path = end < 0 ? rawPath : rawPath.slice(0, end)
    const wrong = oddity(path)
    if (wrong) return refuse('bad_path', `The path is refused: ${wrong}.`)
    const values: string[] = []
    const node = find(root, path.split('/').slice(1), 0, values)
    const entry = node?.byMethod.get(method)
    if (!node) return refuse('unknown_operation', `No operation of ${provider} has this path.`)
    if (!entry) {
      const methods = [...node.byMethod.keys()].sort().join(', ')
      return refuse(
        'unknown_operation',
        `No operation of ${provider} has this path with ${method}; it takes ${methods}.`,
      )
    }
    const pathParams: Record<string, string> = {}
    for (const [index, name] of entry.operation.pathParams.entries()) {
      const value = values[index]!
      if (!ID.test(value)) return refuse('bad_path', `The path is refused: its ${name} is not an id.`)
      pathParams[name] = value
    }
    return { entry, pathParams }
  }
}
