/**
 * A project's policy as the library's `projects.rego` reads it: agents by id; grants by action and resource; and apart, by
 * what their patterns begin with, those that have a `*` inside. So what one call can touch is looked up, never searched.
 */

import type { DecisionInput } from '../model/decision.ts'
import { compilePattern, isKey, literalPrefix, matches, type Pattern, written } from './pattern.ts'
import type { Grant, ProjectPolicy } from './project-policy.ts'

export interface ProjectData {
  readonly agents: Readonly<Record<string, true>>
  readonly grants: readonly GrantData[]
  readonly services: Readonly<Record<string, ServiceData>>
}

export interface GrantData {
  readonly name: string
  readonly actions: readonly Pattern[]
  readonly resources: readonly Pattern[]
  readonly branches?: readonly Pattern[]
  readonly deny?: readonly object[]
  /** RFC 3339, UTC. */
  readonly expires?: string
  readonly grant_id?: string
}

/** Places of grants, by a word about the action and one about the resource. */
type Places = Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>

interface ServiceData {
  /** By name; `*` for any. */
  readonly lookup: Places
  /** By what each pattern begins with; absent where there is none. */
  readonly patterns?: Places
}

/**
 * Of grants that say the same, as renewed ones do, each action and resource keeps the one that holds longest: a decision
 * costs the same however many there are. A project may have a hundred thousand grants: one for each step.
 */
export function* projectData(policy: ProjectPolicy): Generator<void, ProjectData> {
  const services: Record<string, { lookup: Growing; patterns?: Growing }> = Object.create(null)
  const grants: GrantData[] = []
  for (const [index, grant] of policy.grants.entries()) {
    services[grant.service] ??= { lookup: Object.create(null) }
    const service = services[grant.service]!
    const actions = grant.actions.map(compilePattern)
    const resources = (grant.resources ?? ['*']).map(compilePattern)
    const isLookedUp = [...actions, ...resources].every(isKey)
    for (const action of actions)
      for (const resource of resources)
        if (isLookedUp) addLasting(placesAt(service.lookup, written(action), written(resource)), index, policy.grants)
        else {
          service.patterns ??= Object.create(null) as Growing
          addOnce(placesAt(service.patterns, literalPrefix(action), literalPrefix(resource)), index)
        }
    grants.push({
      name: grant.grant_id ? `Grant ${grant.grant_id}` : `Grant ${index + 1} (${grant.service})`,
      actions,
      resources,
      ...(grant.branches && { branches: grant.branches.map(compilePattern) }),
      ...(grant.deny && { deny: grant.deny.map(compileDenied) }),
      ...(grant.expires && { expires: new Date(grant.expires).toISOString() }),
      ...(grant.grant_id && { grant_id: grant.grant_id }),
    })
    yield
  }
  return { agents: Object.fromEntries(policy.agents.map((id) => [id, true] as const)), grants, services }
}

/**
 * What of a project's policy one call can touch, which the library judges as it judges the whole: a few grants of a hundred
 * thousand. A grant too few could only narrow, for grants do nothing but allow.
 */
export function sliceOf(
  policy: ProjectData,
  { agent, provider, action, operation, group, resource }: DecisionInput,
): ProjectData {
  const agents = Object.hasOwn(policy.agents, agent.id) ? { [agent.id]: true as const } : {}
  const service = policy.services[provider]
  if (!service) return { agents, grants: [], services: {} }
  const grants: GrantData[] = []
  const within = action.startsWith(`${provider}:`) ? action.slice(provider.length + 1) : action
  const names = [...new Set([action, within, operation, group])]
  // They were looked up by their actions and resources, which the library does not read then.
  for (const name of [...names, '*'])
    for (const on of [resource, '*'])
      for (const index of service.lookup[name]?.[on] ?? [])
        grants.push({ ...policy.grants[index]!, actions: [], resources: [] })
  const lookup = { '*': { '*': [...grants.keys()] } }
  if (!service.patterns) return { agents, grants, services: { [provider]: { lookup } } }
  const fitting: number[] = []
  for (const index of beginning(service.patterns, names, resource)) {
    const grant = policy.grants[index]!
    const resources = grant.resources.filter((pattern) => matches(pattern, resource))
    if (resources.length === 0) continue
    const actions = grant.actions.filter((pattern) => names.some((name) => matches(pattern, name)))
    if (actions.length === 0) continue
    fitting.push(grants.length)
    grants.push({ ...grant, actions, resources })
  }
  return { agents, grants, services: { [provider]: { lookup, patterns: { '': { '': fitting } } } } }
}

/** The grants whose patterns begin as one of the names and as the resource do. */
function beginning(patterns: Places, names: readonly string[], resource: string): ReadonlySet<number> {
  const found = new Set<number>()
  for (const name of names)
    for (let end = 0; end <= name.length; end += 1) {
      const under = patterns[name.slice(0, end)]
      if (!under) continue
      for (let to = 0; to <= resource.length; to += 1)
        for (const index of under[resource.slice(0, to)] ?? []) found.add(index)
    }
  return found
}

type Growing = Record<string, Record<string, number[]>>

/** Names are anybody's, `__proto__` among them: the maps have no prototype. */
function placesAt(places: Growing, action: string, resource: string): number[] {
  places[action] ??= Object.create(null) as Record<string, number[]>
  const under = places[action]
  under[resource] ??= []
  return under[resource]
}

/** The first place is for a grant without branches and denials, of which the one that holds longest stands for all. */
function addLasting(places: number[], index: number, grants: readonly Grant[]): void {
  const isPlain = ({ branches, deny }: Grant) => !branches && !deny
  const end = ({ expires }: Grant) => (expires ? Date.parse(expires) : Number.POSITIVE_INFINITY)
  const [first] = places
  if (!isPlain(grants[index]!)) places.push(index)
  else if (first === undefined || !isPlain(grants[first]!)) places.unshift(index)
  else if (end(grants[index]!) > end(grants[first]!)) places[0] = index
}

function addOnce(places: number[], index: number): void {
  if (places.at(-1) !== index) places.push(index)
}

/** White space counts as one space, so that `rm  -rf` hits as `rm -rf` does. */
function compileDenied(entry: string): object {
  const text = entry.trim().replace(/\s+/g, ' ')
  const escaped = text.replace(/[?[\]{}\\]/g, '\\$&')
  const name = text.includes('*') ? { glob: escaped } : { is: text }
  return text.includes('*') ? { name, text, within: `*${escaped}*` } : { name, text }
}
