/** Why a policy decides one call as it does: which part decided, which rules fired, and what the closest ones lacked. */
import type { DecisionInput, Reason, Verdict } from '../model/decision.ts'
import { faultIn } from './answer.ts'
import { type NearMiss, nearMisses } from './near-miss.ts'
import { type PolicyProblem, type PolicyRefusal, refusePolicy } from './refusal.ts'
import type { PolicySources } from './sources.ts'
import { evaluateRego, type Place } from './toolchain.ts'

/** In order of precedence: what an earlier one denies, no later one brings back. */
export const PARTS = {
  key: "the vault key's own limits",
  deny: "the operator's deny rules",
  project: "the project's policy",
  defaults: 'the defaults of the operation groups',
  allow: "the operator's allow rules",
  hold: "the operator's hold rules",
} as const
export type Part = keyof typeof PARTS

export interface Explanation {
  readonly decision: Verdict
  readonly part: Part
  readonly reasons: readonly Reason[]
  /** The call's project has a policy, so that the defaults and the allow rules do not count. */
  readonly governed: boolean
  /** The operator's own rules that fired, as far as the decision asked them; files as the operator knows them. */
  readonly fired: readonly Place[]
  /** Of a call that no allow rule covers, where one could: the rules that came closest. */
  readonly closest: readonly NearMiss[]
  /** Allow rules that speak of other operations. */
  readonly others: number
  /** Of a call that no grant of its project covers: what each grant for its service lacks. */
  readonly grants: readonly GrantMiss[]
  /** OPA's own. */
  readonly trace: string
}

export interface GrantMiss {
  readonly name: string
  readonly lacks: readonly string[]
}

const DECISION = 'data.countersign.decision'

/**
 * `sources` as `readPolicy` gives them. Asks OPA's own evaluator, once for the decision and, for a denial that an allow rule
 * could lift, once for each further condition that the closest rules lack: some seconds. Refused where the policy does not
 * compile or gives no decision.
 */
export async function explainDecision(
  sources: PolicySources,
  input: DecisionInput,
): Promise<Explanation | PolicyRefusal> {
  const answer = await evaluateRego(sources.modules, sources.data, DECISION, [input], { trace: true })
  if (!answer.ok) return refusePolicy(...answer.errors.map(problem))
  const { defined, value, errors, fired = [], trace = '' } = answer.value[0]!
  if (errors) return refusePolicy(...errors.map(problem))
  const fault = faultIn(defined ? [{ result: value }] : [])
  if (fault) return refusePolicy(problem({ message: fault }))

  const { decision, reasons } = value as { readonly decision: Verdict; readonly reasons: readonly Reason[] }
  const part = partOf(decision, reasons)
  const project = projectOf(sources, input)
  const liftable = decision === 'deny' && part === 'defaults'
  const misses = liftable ? await nearMisses(sources, input) : { closest: [], others: 0 }
  return {
    ...{ decision, part, reasons, trace, ...misses },
    governed: project !== undefined,
    fired: fired
      .filter(({ file }) => !file.startsWith('countersign/'))
      .map((place) => ({ ...place, file: sources.pathOf(place.file) })),
    grants: project && reasons.some(({ code }) => code === 'no_grant_covers') ? grantMisses(project, input) : [],
  }
}

const problem = (error: { message: string; file?: string; row?: number; col?: number }): PolicyProblem => ({
  ...error,
  code: 'evaluation',
  fix: '`countersign policy build` says what is wrong with the policy.',
})

function partOf(decision: Verdict, reasons: readonly Reason[]): Part {
  const rules = new Set(reasons.map(({ rule }) => rule))
  if (decision === 'hold') return 'hold'
  if (rules.has('countersign.key')) return 'key'
  if (rules.has('tool_decision.deny')) return 'deny'
  if (rules.has('countersign.projects')) return 'project'
  return rules.has('tool_decision.allow') ? 'allow' : 'defaults'
}

/** A project's policy as `projectData` makes it. */
interface Project {
  readonly grants: readonly {
    readonly name: string
    readonly actions: readonly Pattern[]
    readonly resources: readonly Pattern[]
  }[]
  readonly services: Readonly<Record<string, Service>>
}
type Pattern =
  | { readonly any: true }
  | { readonly is: string }
  | { readonly starts: string }
  | { readonly glob: string }
interface Service {
  readonly lookup: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>>
  readonly patterns: readonly number[]
}

function projectOf({ data }: PolicySources, { project }: DecisionInput): Project | undefined {
  const projects = (data.projects ?? {}) as Readonly<Record<string, Project>>
  return project !== undefined && Object.hasOwn(projects, project) ? projects[project] : undefined
}

function grantMisses({ grants, services }: Project, { provider, action, operation, resource }: DecisionInput) {
  const service = Object.hasOwn(services, provider) ? services[provider]! : { lookup: {}, patterns: [] }
  const indexes = new Set([
    ...Object.values(service.lookup).flatMap((under) => Object.values(under).flat()),
    ...service.patterns,
  ])
  const names = [action, action.replace(`${provider}:`, ''), operation]
  return [...indexes]
    .sort((a, b) => a - b)
    .map((index): GrantMiss => {
      const { name, actions, resources } = grants[index]!
      const acts = actions.some((pattern) => names.some((each) => fits(pattern, each)))
      const reaches = resources.some((pattern) => fits(pattern, resource))
      return {
        name,
        lacks: [
          ...(acts ? [] : [`its actions (${actions.map(written).join(', ')}) do not cover ${action}`]),
          ...(reaches ? [] : [`its resources (${resources.map(written).join(', ')}) do not cover ${resource}`]),
        ],
      }
    })
}

const written = (pattern: Pattern): string => {
  if ('any' in pattern) return '*'
  if ('is' in pattern) return pattern.is
  return 'starts' in pattern ? `${pattern.starts}*` : pattern.glob
}

function fits(pattern: Pattern, text: string): boolean {
  if ('any' in pattern) return true
  if ('is' in pattern) return pattern.is === text
  if ('starts' in pattern) return text.startsWith(pattern.starts)
  const [first = '', ...rest] = pattern.glob.split('*')
  if (!text.startsWith(first)) return false
  let from = first.length
  for (const [at, piece] of rest.entries()) {
    const found = at === rest.length - 1 ? text.length - piece.length : text.indexOf(piece, from)
    if (found < from || !text.startsWith(piece, found)) return false
    from = found + piece.length
  }
  return true
}
