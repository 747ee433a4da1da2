/** Why a policy decides one call as it does: which part decided, which rules fired, and what the closest ones lacked. */
import type { DecisionInput, Reason, Verdict } from '../model/decision.ts'
import { faultIn } from './answer.ts'
import { type NearMiss, nearMisses } from './near-miss.ts'
import { matches, written } from './pattern.ts'
import type { ProjectData } from './project-data.ts'
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

function projectOf({ data }: PolicySources, { project }: DecisionInput): ProjectData | undefined {
  const projects = (data.projects ?? {}) as Readonly<Record<string, ProjectData>>
  return project !== undefined && Object.hasOwn(projects, project) ? projects[project] : undefined
}

function grantMisses({ grants, services }: ProjectData, { provider, action, operation, resource }: DecisionInput) {
  const { lookup = {}, patterns = {} } = services[provider] ?? {}
  const indexes = new Set([lookup, patterns].flatMap(Object.values).flatMap(Object.values).flat())
  const names = [action, action.replace(`${provider}:`, ''), operation]
  return [...indexes]
    .sort((a, b) => a - b)
    .map((index): GrantMiss => {
      const { name, actions, resources } = grants[index]!
      const acts = actions.some((pattern) => names.some((each) => matches(pattern, each)))
      const reaches = resources.some((pattern) => matches(pattern, resource))
      return {
        name,
        lacks: [
          ...(acts ? [] : [`its actions (${actions.map(written).join(', ')}) do not cover ${action}`]),
          ...(reaches ? [] : [`its resources (${resources.map(written).join(', ')}) do not cover ${resource}`]),
        ],
      }
    })
}
