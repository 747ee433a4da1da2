/**
 * A project's policy file: who may do what in one project, denied by default. Read from YAML into the data that the library's
 * `projects.rego` looks up. Patterns mean one thing everywhere (actions, resources, branches): plain text matches itself, and
 * `*` matches any run of characters, separators included. A `deny` entry hits an action or a resource in the same way, and
 * any text among the params that contains it. Where the service is a provider of the catalogue, an action or a resource that
 * the catalogue does not have is a mistake.
 */
import { isMap, isScalar, isSeq, LineCounter, type Node, type ParsedNode, parseDocument } from 'yaml'
import type { NamesOfService, ServiceNames } from '../model/names.ts'
import { compilePattern, matches } from './pattern.ts'
import { atOnce } from './pausing.ts'
import { PART_CHARS_MAX, type Part, partsOf } from './project-parts.ts'
import type { PolicyProblem } from './refusal.ts'

export interface Grant {
  readonly service: string
  readonly actions: readonly string[]
  readonly resources?: readonly string[]
  readonly branches?: readonly string[]
  readonly deny?: readonly string[]
  /** RFC 3339. */
  readonly expires?: string
  readonly requested_by?: string
  readonly grant_id?: string
  readonly approved_by?: string
}

export interface ProjectPolicy {
  readonly project: string
  readonly agents: readonly string[]
  readonly grants: readonly Grant[]
}

export type ParsedProject =
  | { readonly ok: true; readonly policy: ProjectPolicy; readonly warnings: readonly PolicyProblem[] }
  | { readonly ok: false; readonly problems: readonly PolicyProblem[] }

const TOP = ['project', 'agents', 'grants']
const LISTS = ['actions', 'resources', 'branches', 'deny'] as const
const TEXTS = ['service', 'expires', 'requested_by', 'grant_id', 'approved_by'] as const
const GRANT_FIELDS: readonly string[] = [...TEXTS, ...LISTS]
const RFC3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/
/** `a*b` yes; these would mean something to other globs, and nothing here. */
const FOREIGN_GLOB = /[?[\]{}\\]|\*\*/

const KINDS = [
  ['actions', 'action, operation or group'],
  ['resources', 'resource'],
] as const satisfies readonly (readonly [keyof NamesOfService, string])[]

/** A pattern means something where it matches one name at least. */
function isCovered(text: string, names: ReadonlySet<string>): boolean {
  if (!text.includes('*')) return names.has(text)
  const pattern = compilePattern(text)
  return [...names].some((name) => matches(pattern, name))
}

/**
 * Reads one file; `file` is its name in messages. Every problem is reported, each with its line. A grant that has expired
 * is a warning: it grants nothing, and the file that held it yesterday must still load today.
 */
export function parseProjectPolicy(source: string, file: string, options: ReadingOptions = {}): ParsedProject {
  return atOnce(readingProjectPolicy(source, file, options))
}

interface ReadingOptions {
  readonly now?: Date
  readonly names?: ServiceNames
}

/** The same in steps of a millisecond or two, for who must not stand still meanwhile. */
export function* readingProjectPolicy(
  source: string,
  file: string,
  { now = new Date(), names }: ReadingOptions,
): Generator<void, ParsedProject> {
  const unreadable: PolicyProblem[] = []
  const problems: PolicyProblem[] = []
  const warnings: PolicyProblem[] = []
  /** Where things of the part that is read now are in the file. */
  let at: (offset: number) => Pick<PolicyProblem, 'file' | 'row' | 'col'>
  const report = (node: Node | null | undefined, message: string, fix: string) => {
    problems.push({ code: 'project_policy', ...at(node?.range?.[0] ?? 0), message, fix })
  }
  /** Null where the part is no YAML. */
  const read = (part: Part): ParsedNode | null => {
    const lines = new LineCounter()
    at = (offset) => {
      const { line, col } = lines.linePos(offset)
      return { file, row: part.rowOf(line), col }
    }
    if (part.source.length > PART_CHARS_MAX) {
      unreadable.push({
        code: 'project_policy',
        ...{ file, row: part.rowOf(1), col: 1 },
        message: `more than ${PART_CHARS_MAX / 1024} KiB that only make sense together: reading them would hold up live calls`,
        fix: 'Write `grants:` on a line of its own, and below it each grant as `- service: …` lines.',
      })
      return null
    }
    const document = parseDocument(part.source, { lineCounter: lines, strict: true, uniqueKeys: true })
    for (const error of [...document.errors, ...document.warnings]) {
      unreadable.push({
        code: 'project_policy',
        ...at(error.pos[0]),
        message: error.message.split('\n')[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? 'not YAML',
        fix: 'Correct the YAML; docs/policy shows a whole project policy.',
      })
    }
    return unreadable.length > 0 ? null : document.contents
  }

  /** The fields of a map by name, unknown ones reported. */
  const fields = (node: unknown, known: readonly string[], what: string): Map<string, ParsedNode> | null => {
    if (!isMap<ParsedNode, ParsedNode>(node)) {
      report(
        node as Node | null,
        `${what} is not a map`,
        `Write ${what} as \`name: value\` lines: ${known.join(', ')}.`,
      )
      return null
    }
    const found = new Map<string, ParsedNode>()
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : ''
      if (!known.includes(name)) {
        report(key, `${what} has no field ${JSON.stringify(name)}`, `${what} has: ${known.join(', ')}.`)
      } else if (value !== null) found.set(name, value)
    }
    return found
  }
  const text = (node: ParsedNode | undefined, what: string): string | null => {
    if (isScalar(node) && typeof node.value === 'string' && node.value.trim() !== '') return node.value
    report(node, `${what} is not a text`, 'Write a text; quote what YAML would read as a number, a date or true.')
    return null
  }
  const texts = (node: ParsedNode, what: string): string[] => {
    if (!isSeq<ParsedNode>(node)) {
      report(node, `${what} is not a list`, `Write a list: ${what}: [first, second].`)
      return []
    }
    if (node.items.length === 0) report(node, `${what} is an empty list`, `Leave ${what} out, or name something.`)
    return node.items.map((item) => text(item, `an entry of ${what}`)).filter((item) => item !== null)
  }
  const pattern = (node: ParsedNode, value: string, what: string) => {
    if (FOREIGN_GLOB.test(value))
      report(
        node,
        `${what} has a pattern that nothing here understands: ${JSON.stringify(value)}`,
        'Use `*` alone: it matches any run of characters, separators included.',
      )
  }

  /** What of a provider's names the grant's entries can mean, aliases brought to their operations. */
  const named = (grant: Record<string, string | string[]>, found: ReadonlyMap<string, ParsedNode>, what: string) => {
    const { service, actions, deny } = grant
    if (names === undefined || typeof service !== 'string') return
    const own = names.of(service)
    const meant = own ? undefined : names.closestService(service)
    if (meant !== undefined)
      warnings.push({
        code: 'unlisted_service',
        ...at(found.get('service')?.range[0] ?? 0),
        message: `${what} is for service ${service}, which is no provider of the catalogue`,
        fix: `Write ${meant}, if that is what you mean.`,
      })
    if (own === undefined) return
    for (const [field, kind] of KINDS) {
      const list = found.get(field)
      if (!isSeq<ParsedNode>(list)) continue
      for (const item of list.items) {
        if (!isScalar(item) || typeof item.value !== 'string') continue
        if (isCovered(own.canonical(item.value), own[field])) continue
        const instead = field === 'actions' ? own.closestAction(item.value) : own.closestResource(item.value)
        report(
          item,
          `${what} names ${JSON.stringify(item.value)}, and ${service} has no such ${kind}`,
          `${instead ? `Did you mean ${instead}? ` : ''}docs/policy/names-${service}.md lists the names.`,
        )
      }
    }
    if (Array.isArray(actions)) grant.actions = actions.map(own.canonical)
    // The text stays beside the operation, because a deny entry also hits texts in params.
    if (Array.isArray(deny)) grant.deny = [...new Set(deny.flatMap((entry) => [entry, own.canonical(entry)]))]
  }

  const readGrant = (node: ParsedNode, index: number): Grant | null => {
    const what = `grant ${index + 1}`
    const found = fields(node, GRANT_FIELDS, what)
    if (!found) return null
    const grant: Record<string, string | string[]> = {}
    for (const name of TEXTS) {
      const value = found.get(name)
      if (value === undefined) continue
      const read = text(value, `${name} of ${what}`)
      if (read !== null) grant[name] = read
    }
    for (const name of LISTS) {
      const value = found.get(name)
      if (value === undefined) continue
      grant[name] = texts(value, name)
      if (name !== 'deny' && isSeq<ParsedNode>(value))
        for (const item of value.items)
          if (isScalar(item) && typeof item.value === 'string') pattern(item, item.value, `${name} of ${what}`)
    }
    for (const name of ['service', 'actions'])
      if (!found.has(name)) report(node, `${what} has no ${name}`, `Add ${name} to the grant.`)
    named(grant, found, what)
    const { expires } = grant
    if (typeof expires === 'string' && (!RFC3339.test(expires) || Number.isNaN(Date.parse(expires))))
      report(
        found.get('expires'),
        `${what} expires at ${JSON.stringify(expires)}, which is not a time`,
        'Write RFC 3339 with a zone: 2026-11-21T09:00:00Z.',
      )
    else if (typeof expires === 'string' && new Date(expires) <= now)
      warnings.push({
        code: 'grant_expired',
        ...at(found.get('expires')?.range[0] ?? 0),
        message: `${what} expired at ${expires}: it grants nothing`,
        fix: 'Take the grant out, or have it approved anew.',
      })
    return grant as unknown as Grant
  }

  const grants: Grant[] = []
  const readGrants = (node: ParsedNode) => {
    if (!isSeq<ParsedNode>(node)) {
      report(node, 'grants is not a list', 'Write each grant as `- service: …`.')
      return
    }
    for (const item of node.items) {
      const grant = readGrant(item, grants.length)
      if (grant) grants.push(grant)
    }
  }
  let project: string | null = null
  let agents: readonly string[] = []
  const readRest = (node: ParsedNode | null, hasGrants: boolean) => {
    const top = fields(node, TOP, 'the project policy')
    if (!top) return
    if (top.has('project')) project = text(top.get('project'), 'project')
    else report(node, 'the file names no project', 'Add `project: <name>`.')
    const listed = top.get('agents')
    if (listed) agents = texts(listed, 'agents')
    const list = top.get('grants')
    if (list && !hasGrants) readGrants(list)
  }
  let hasGrants = false
  for (const part of partsOf(source)) {
    const node = read(part)
    if (unreadable.length === 0) {
      if (part.holds === 'rest') readRest(node, hasGrants)
      else if (node) readGrants(node)
      hasGrants = true
    }
    yield
  }
  if (unreadable.length > 0) return { ok: false, problems: unreadable }
  if (problems.length > 0 || project === null) return { ok: false, problems: problems.sort(byPlace) }
  return { ok: true, policy: { project, agents, grants }, warnings }
}

const byPlace = (a: PolicyProblem, b: PolicyProblem): number =>
  (a.row ?? 0) - (b.row ?? 0) || (a.col ?? 0) - (b.col ?? 0)
