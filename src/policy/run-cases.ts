/** Runs case tables: each case by the compiled policy and by OPA's own evaluator. A difference between the two fails it. */
import type { Decision, Policy } from '../model/decision.ts'
import type { PolicyCase } from './cases.ts'
import { ENTRY_POINT } from './instance.ts'
import type { OpenPolicy, World } from './open.ts'
import { over, withoutNulls } from './overlay.ts'
import { type Evaluation, evaluateRego, type RegoFile, type RegoProblem } from './toolchain.ts'

export type Answer = Omit<Decision, 'policy_revision'>

export interface CaseResult {
  readonly case: PolicyCase
  /** What the compiled policy answers; absent where it broke. */
  readonly answer?: Answer
  /** In words; none where the case passed. */
  readonly faults: readonly string[]
  readonly duration_ms: number
}

/** In the order of the cases. */
export async function runCases(policy: OpenPolicy, cases: readonly PolicyCase[]): Promise<readonly CaseResult[]> {
  const worlds = new Map<string, PolicyCase[]>()
  for (const each of cases) {
    const world = JSON.stringify([each.data, [...each.projects]])
    worlds.set(world, [...(worlds.get(world) ?? []), each])
  }
  const results = new Map<PolicyCase, CaseResult>()
  for (const group of worlds.values()) {
    const world = worldOf(policy, group[0]!)
    const instance = policy.instance(world)
    const opa = await opaAnswers(policy, world, group)
    for (const [index, each] of group.entries()) results.set(each, judge(each, instance, opa[index]!))
  }
  return cases.map((each) => results.get(each)!)
}

const worldOf = ({ world }: OpenPolicy, { data, projects }: PolicyCase): World => ({
  data: withoutNulls(over(world.data, data)) as World['data'],
  projects: projects.size === 0 ? world.projects : new Map([...world.projects, ...projects]),
})

async function opaAnswers(
  { sources }: OpenPolicy,
  world: World,
  cases: readonly PolicyCase[],
): Promise<readonly Pick<Evaluation, 'value' | 'errors'>[]> {
  const data = { ...world.data, projects: Object.fromEntries(world.projects) }
  const inputs = cases.map(({ input }) => input)
  const answered = await evaluateRego(sources.modules, data, `data.${ENTRY_POINT.replaceAll('/', '.')}`, inputs)
  return answered.ok ? answered.value : cases.map(() => ({ errors: answered.errors }))
}

function judge(each: PolicyCase, policy: Policy, opa: Pick<Evaluation, 'value' | 'errors'>): CaseResult {
  const started = performance.now()
  try {
    const { policy_revision: _, ...answer } = policy.decide(each.input)
    const duration_ms = performance.now() - started
    return { case: each, answer, faults: [...misses(each, answer), ...disagreement(answer, opa)], duration_ms }
  } catch (fault) {
    return { case: each, faults: [(fault as Error).message], duration_ms: performance.now() - started }
  }
}

/** The codes of a decision's reasons, each once, sorted. */
export const codesOf = ({ reasons }: Answer): readonly string[] => [...new Set(reasons.map(({ code }) => code))].sort()

function misses({ expect }: PolicyCase, answer: Answer): string[] {
  const faults: string[] = []
  const want = (what: string, expected: unknown, actual: unknown) => {
    if (expected !== undefined && canonical(expected) !== canonical(actual))
      faults.push(`${what}: ${shown(actual)}, where ${shown(expected)} is expected`)
  }
  want('decision', expect.decision, answer.decision)
  want('reasons', expect.reasons && [...expect.reasons].sort(), codesOf(answer))
  want('grant_id', expect.grant_id, answer.grant_id)
  want('obligations', expect.obligations, answer.obligations)
  if (expect.says !== undefined && !answer.reasons.some(({ message }) => message.includes(expect.says!)))
    faults.push(`no reason says ${JSON.stringify(expect.says)}`)
  return faults
}

function disagreement(answer: Answer, { value, errors }: Pick<Evaluation, 'value' | 'errors'>): string[] {
  if (errors) return [`OPA's own evaluator broke: ${errors.map(({ message }: RegoProblem) => message).join('; ')}`]
  if (canonical(answer) === canonical(value)) return []
  return [`the compiled policy and OPA's own evaluator differ: OPA answers ${JSON.stringify(value)}`]
}

const shown = (value: unknown): string =>
  Array.isArray(value) ? value.join(' and ') : typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none')

/** JSON with names in order, so that equal values are equal texts. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  ) ?? 'undefined'

/**
 * The cases as `test_` rules, so that OPA's coverage counts what they reach. Whether they pass is `runCases`' to say: these
 * only evaluate.
 */
export function casesAsTests(policy: OpenPolicy, cases: readonly PolicyCase[]): RegoFile {
  const rules = cases.map((each, index) => {
    const world = worldOf(policy, each)
    const { project = '' } = each.input
    const own = world.projects.get(project)
    const withs = [
      ['input', each.input],
      ['data.projects', own ? { [project]: own } : {}],
      // Not all of data at once: the rules are below it as well.
      ...leaves(each.data, []).map((path) => [refOf(path), at(world.data, path)] as const),
    ] as const
    const overrides = withs.map(([ref, value]) => ` with ${ref} as ${JSON.stringify(value ?? null)}`).join('')
    return `test_case_${index} if data.${ENTRY_POINT.replaceAll('/', '.')}${overrides}`
  })
  return { path: CASES_MODULE, source: `package countersign_cases_test\n\nimport rego.v1\n\n${rules.join('\n\n')}\n` }
}

export const CASES_MODULE = 'countersign_cases_test.rego'

/** Paths of two words, or one: enough to keep `data.countersign`'s rules beside its data. */
function leaves(data: object, path: readonly string[]): string[][] {
  return Object.entries(data).flatMap(([name, value]) =>
    path.length === 0 && typeof value === 'object' && value !== null && !Array.isArray(value)
      ? leaves(value, [name])
      : [[...path, name]],
  )
}

const refOf = (path: readonly string[]): string => `data${path.map((step) => `[${JSON.stringify(step)}]`).join('')}`

const at = (data: unknown, path: readonly string[]): unknown =>
  path.reduce((value, step) => (value as Record<string, unknown> | undefined)?.[step], data)
