/** A run of policy tests told to people, to programs (JSON), and to CI servers (JUnit XML). */
import { plain } from './output.ts'
import type { Compared, TestResult, TestRun } from './policy-test-run.ts'

export const REPORTS = { pretty, json, junit } as const
export type ReportFormat = keyof typeof REPORTS

export interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export function totalsOf({ tests }: TestRun): Totals {
  const count = (outcome: TestResult['outcome']) => tests.filter((test) => test.outcome === outcome).length
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped') }
}

/** Files that the tests cover less than `threshold` percent of. */
export const thinlyCovered = ({ coverage = {} }: TestRun, threshold: number): readonly string[] =>
  Object.entries(coverage)
    .filter(([, { percent }]) => percent < threshold)
    .map(([file]) => file)

function pretty(run: TestRun): string {
  const failures = run.tests.filter(({ outcome }) => outcome === 'failed').map(failure)
  const { passed, failed, skipped } = totalsOf(run)
  const coverage = Object.entries(run.coverage ?? {}).map(([file, { percent, not_covered }]) => {
    const rows = not_covered.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`))
    return `${percent.toFixed(1).padStart(5)} %  ${file}${rows.length > 0 ? `  not covered: ${rows.join(', ')}` : ''}`
  })
  const totals = `${passed} passed, ${failed} failed, ${skipped} skipped`
  return [...failures, ...(coverage.length > 0 ? [coverage.join('\n')] : []), totals].join('\n\n')
}

function failure({ name, file, row, faults, compared, output }: TestResult): string {
  const lines = [
    `FAIL  ${file}:${row}  ${plain(name)}`,
    ...sideBySide(compared),
    ...faults.map((fault) => `  ${plain(fault)}`),
  ]
  for (const line of output?.trimEnd().split('\n') ?? []) lines.push(`  printed: ${plain(line)}`)
  return lines.join('\n')
}

function sideBySide(compared: readonly Compared[]): string[] {
  if (compared.length === 0) return []
  const rows = [{ field: '', expected: 'expected', actual: 'actual' }, ...compared]
  const width = (column: keyof Compared) => Math.max(...rows.map((row) => row[column].length))
  const [field, expected] = [width('field'), width('expected')]
  return rows.map((row) =>
    plain(`  ${row.field.padEnd(field)}  ${row.expected.padEnd(expected)}  ${row.actual}`).trimEnd(),
  )
}

function json(run: TestRun): string {
  return JSON.stringify({ ...totalsOf(run), ...run }, null, 2)
}

function junit(run: TestRun): string {
  const files = [...new Set(run.tests.map(({ file }) => file))]
  const suites = files.map((file) => {
    const tests = run.tests.filter((test) => test.file === file)
    return [`  <testsuite${attributes({ name: file, ...counts(tests) })}>`, ...tests.map(testcase), '  </testsuite>']
  })
  const all = `<testsuites${attributes({ name: 'countersign policy test', ...counts(run.tests) })}>`
  return ['<?xml version="1.0" encoding="UTF-8"?>', all, ...suites.flat(), '</testsuites>'].join('\n')
}

function counts(tests: readonly TestResult[]) {
  const { failed, skipped } = totalsOf({ tests })
  return { tests: tests.length, failures: failed, errors: 0, skipped, time: seconds(tests) }
}

const seconds = (tests: readonly TestResult[]): string =>
  (tests.reduce((sum, { duration_ms }) => sum + duration_ms, 0) / 1000).toFixed(6)

function testcase(test: TestResult): string {
  const { name, file, row, outcome, faults, compared } = test
  const open = `    <testcase${attributes({ name, classname: file, file, line: row, time: seconds([test]) })}`
  if (outcome === 'passed') return `${open}/>`
  if (outcome === 'skipped') return `${open}><skipped/></testcase>`
  const text = [`${file}:${row}`, ...sideBySide(compared), ...faults].join('\n')
  return `${open}><failure${attributes({ message: faults.join('; ') })}>${escaped(text)}</failure></testcase>`
}

const attributes = (values: Readonly<Record<string, string | number>>): string =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('')

/** XML 1.0 has no way to write most control characters, escaped or not. */
const escaped = (text: string): string =>
  text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign]!)
