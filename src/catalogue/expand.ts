/** Which objects of an answer a call may ask to have expanded: what the provider's description says expands, and no more. */
import type { Json } from '../model/operation.ts'
import type { Entry } from './entry.ts'

/** The provider's own limit. */
const EXPAND_DEPTH_MAX = 4

/** The first value that the operation does not expand; undefined where all are fine. */
export function wrongExpand({ expand: { graph, roots } }: Entry, expand: Json | undefined): Json | undefined {
  if (!Array.isArray(expand)) return undefined
  return expand.find((path: Json) => {
    if (typeof path !== 'string') return true
    const steps = path.split('.')
    if (steps.filter((step) => step !== 'data').length > EXPAND_DEPTH_MAX) return true
    let nodes: readonly string[] = roots
    for (const step of steps) {
      nodes = nodes.flatMap((node) => {
        // `[]charge` is a page of charges; its objects are under `data`.
        if (node.startsWith('[]')) return step === 'data' ? [node.slice(2)] : []
        const fields = Object.hasOwn(graph, node) ? graph[node]! : {}
        return Object.hasOwn(fields, step) ? fields[step]! : []
      })
      if (!nodes.length) return true
    }
    return false
  })
}
