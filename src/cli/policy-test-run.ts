/** One run of a policy's tests: OPA's `test_` rules and the case tables, with what they cover. */
import {
  CASES_MODULE,
  type CaseResult,
  type Coverage,
  casesAsTests,
  codesOf,
  isPolicyRefusal,
  openPolicy,
  type PolicyRefusal,
  problemOf,
  type RegoTest,
  runCases,
  testRego,
} from '../policy/index.ts'
import { CliError } from './output.ts'
import { readCaseFiles } from './policy-case-files.ts'
import type { Folders } from './policy-folders.ts'

export interface TestOptions {
  readonly cases: readonly string[]
  readonly run?: string
  readonly coverage: boolean
}

/** What a case wanted and got, field by field. */
export interface Compared {
  readonly field: string
  readonly expected: string
  readonly actual: string
}

export interface TestResult {
  readonly name: string
  readonly file: string
  readonly row: number
  readonly outcome: 'passed' | 'failed' | 'skipped'
  readonly duration_ms: number
  /** Why it failed. */
  readonly faults: readonly string[]
  readonly compared: readonly Compared[]
  /** What a `test_` rule printed. */
  readonly output?: string
}

export interface TestRun {
  readonly tests: readonly TestResult[]
  /** The operator's own files; not the library, not the tests. */
  readonly coverage?: Coverage['files']
}

export async function runPolicyTests(folders: Folders, options: TestOptions): Promise<TestRun | PolicyRefusal> {
  const { cases, run, coverage } = options
  const chosen = run === undefined ? null : expressionOf(run)
  const read = readCaseFiles(cases)
  if (isPolicyRefusal(read)) return read
  const policy = await openPolicy(folders)
  if (isPolicyRefusal(policy)) return policy
  const { sources, world } = policy
  const wanted = read.filter(({ name }) => chosen?.test(name) ?? true)
  const modules = [...sources.modules, ...sources.tests]
  const data = { ...world.data, projects: Object.fromEntries(world.projects) }

  const tested = await testRego(modules, data, run === undefined ? {} : { run })
  if (!tested.ok) return { refused: true, problems: tested.errors.map((error) => problemOf(error, sources)) }
  const results = await runCases(policy, wanted)
  const tests = [...tested.value.tests.map((test) => ofRule(test, sources.pathOf(test.file))), ...results.map(ofCase)]
  if (!coverage) return { tests }

  const covered = await testRego([...modules, casesAsTests(policy, wanted)], data, { coverage: true })
  if (!covered.ok) return { refused: true, problems: covered.errors.map((error) => problemOf(error, sources)) }
  const own = Object.entries(covered.value.coverage?.files ?? {}).filter(
    ([name]) => !name.endsWith('_test.rego') && name !== CASES_MODULE && !name.startsWith('countersign/'),
  )
  return { tests, coverage: Object.fromEntries(own.map(([name, file]) => [sources.pathOf(name), file])) }
}

function expressionOf(run: string): RegExp {
  try {
    return new RegExp(run)
  } catch (error) {
    throw new CliError(`--run ${run}: ${(error as Error).message}.`, 'Write a regular expression over names of tests.')
  }
}

const ofRule = (test: RegoTest, file: string): TestResult => ({
  name: test.name,
  file,
  row: test.row,
  outcome: test.outcome === 'error' ? 'failed' : test.outcome,
  duration_ms: test.duration_ms,
  faults: test.outcome === 'failed' || test.outcome === 'error' ? [test.message ?? 'it is false or undefined'] : [],
  compared: [],
  ...(test.output ? { output: test.output } : {}),
})

const ofCase = (result: CaseResult): TestResult => ({
  name: result.case.name,
  file: result.case.file,
  row: result.case.row,
  outcome: result.faults.length > 0 ? 'failed' : 'passed',
  duration_ms: result.duration_ms,
  faults: result.faults,
  compared: compare(result),
})

function compare({ case: { expect }, answer }: CaseResult): readonly Compared[] {
  if (!answer) return []
  const rows: Compared[] = [{ field: 'decision', expected: expect.decision, actual: answer.decision }]
  const row = (field: string, expected: string | undefined, actual: string) =>
    rows.push({ field, expected: expected ?? '(any)', actual })
  row('reasons', expect.reasons && [...expect.reasons].sort().join(', '), codesOf(answer).join(', '))
  if (expect.grant_id !== undefined) row('grant_id', expect.grant_id, answer.grant_id ?? '(none)')
  if (expect.obligations) row('obligations', JSON.stringify(expect.obligations), JSON.stringify(answer.obligations))
  for (const [index, { message, rule }] of answer.reasons.entries())
    row(index === 0 ? 'because' : '', index === 0 ? (expect.says ?? '') : '', `${message} (${rule})`)
  return rows
}
