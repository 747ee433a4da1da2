/** One operation of the catalogue: what the model knows of it, and the rules that the room keeps to itself. */
import type { Operation } from '../model/operation.ts'
import type { CostRule, Described, Description, ExpandGraph, ReadRule } from './provider.ts'

export interface Entry {
  readonly operation: Operation
  readonly reads: readonly ReadRule[]
  readonly cost?: CostRule
  readonly customer: readonly string[]
  /** Top-level params that are amounts: whole, and at least 1. */
  readonly positive: ReadonlySet<string>
  /** Params by which objects are read, so that they go into a path. */
  readonly ids: readonly string[]
  readonly guarded: readonly string[]
  readonly expand: { readonly graph: ExpandGraph; readonly roots: readonly string[] }
  /** Why the gateway cannot send it, where it cannot. */
  readonly refused?: string
}

/** One expression for all patterns, as every operation is held against every rule at start. */
const globs = (patterns: readonly string[]): RegExp | undefined =>
  patterns.length
    ? new RegExp(`^(?:${patterns.map((each) => each.replaceAll('.', '\\.').replaceAll('*', '.*')).join('|')})$`)
    : undefined

/** Patterns with a colon match `collection:verb`; those without match the name. `*` is any run of characters. */
function matcher(patterns: readonly string[]): (name: string, action: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')))
  const open = patterns.filter((pattern) => pattern.includes('*'))
  const onAction = globs(open.filter((pattern) => pattern.includes(':')))
  const onName = globs(open.filter((pattern) => !pattern.includes(':')))
  return (name, action) =>
    exact.has(name) || exact.has(action) || onAction?.test(action) === true || onName?.test(name) === true
}

/** The first rule that matches holds; order is precedence. */
function firstMatch<Rule extends { readonly operations: readonly string[] }>(
  rules: readonly Rule[] = [],
): (described: Described) => Rule | undefined {
  const matchers = rules.map((rule) => ({ rule, matches: matcher(rule.operations) }))
  return ({ name, collection, verb }) => {
    const action = `${collection}:${verb}`
    return matchers.find(({ matches }) => matches(name, action))?.rule
  }
}

const PARAM = /\{([^}]+)\}/g

const pathParamsOf = (path: string): string[] => [...path.matchAll(PARAM)].map(([, name]) => name!)

/** Throws where an operation has no group: then the rules are not complete, and the gateway does not start. */
export function buildEntries(description: Description): Entry[] {
  const { rules } = description
  const groupOf = firstMatch(rules.groups)
  const readsOf = firstMatch(rules.reads)
  const costOf = firstMatch(rules.costs)
  const redactOf = firstMatch(rules.redact_of)
  const guardedOf = firstMatch(rules.guarded_of)
  const refusedOf = firstMatch(rules.refused)
  const zeroOf = firstMatch(rules.amounts?.may_be_zero_or_less)
  const positive = new Set(rules.amounts?.params)
  const nothing = new Set<string>()

  return description.operations.map((described) => {
    const { name, aliases, method, path, params, summary, collection, verb } = described
    const group = groupOf(described)?.group
    if (!group) throw new Error(`${rules.provider}: no group takes ${name} (${collection}:${verb})`)
    const effect = method === 'GET' ? 'read' : 'write'
    const cost = effect === 'write' ? costOf(described) : undefined
    const reads = effect === 'write' ? (readsOf(described)?.read ?? []) : []
    const refused = refusedOf(described)?.why
    return {
      operation: {
        provider: rules.provider,
        name,
        aliases,
        group,
        effect,
        action: `${rules.provider}:${collection}:${verb}`,
        resource: `${rules.resource}/${collection.replaceAll('.', '/')}`,
        method,
        path,
        pathParams: pathParamsOf(path),
        params,
        summary,
        cost: cost ? 'amount' : 'none',
        ...(cost?.actual ? { actual: cost.actual } : {}),
        retry: method === 'POST' ? 'keyed' : 'natural',
        redact: [...(rules.redact ?? []), ...(redactOf(described)?.redact ?? [])],
      },
      reads,
      ...(cost ? { cost } : {}),
      customer: [...(cost?.customer ?? []), ...(rules.customer ?? [])],
      positive: effect === 'read' || zeroOf(described) ? nothing : positive,
      ids: reads.flatMap((read) => pathParamsOf(read.path)).filter((pointer) => pointer.startsWith('params.')),
      guarded: [...(rules.guarded ?? []), ...(guardedOf(described)?.guarded ?? [])],
      expand: { graph: description.expandable, roots: described.returns },
      ...(refused ? { refused } : {}),
    }
  })
}
