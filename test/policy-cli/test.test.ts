/** `policy test`: rules and case tables, what failed and why, for people and for CI servers. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { until } from '../cli/run.ts'
import { EXAMPLE, holding, PRECEDENCE, policy } from './folder.ts'

const RULES = `package tool_decision

import rego.v1

allow contains "small" if {
	input.operation == "create_refund"
	input.amount.value <= 5000
}

hold if input.occurrence > 1
`
const RULES_TEST = `package tool_decision_test

import data.tool_decision
import rego.v1

test_small if count(tool_decision.allow) == 1 with input as {"operation": "create_refund", "amount": {"value": 1}}

test_large if {
	print("here")
	count(tool_decision.allow) == 1 with input as {"operation": "create_refund", "amount": {"value": 5001}}
}

todo_test_later if false
`
const CASES = `input: { provider: stripe, operation: create_refund, amount: { value: 500, currency: usd } }
cases:
  - name: a small refund passes
    expect: allow
  - name: a <large> "refund" passes
    input: { amount: { value: 5001 } }
    expect: { decision: allow, reasons: [allowed_by_rule], says: small }
`
const FILES = { 'rego/tool_decision.rego': RULES, 'cases/refunds.yaml': CASES }

test('the packaged policy passes with no options and no files', async () => {
  const { code, out, err } = await policy(holding({}), 'test')
  expect(out).toMatch(/^\d+ passed, 0 failed, 0 skipped\n$/)
  expect(err).toContain('this is the packaged starter policy')
  expect(code).toBe(0)
})

test('the order of precedence holds case by case, both dialects mixed, and every line of both is reached', async () => {
  const { code, out } = await policy(PRECEDENCE, 'test', '--threshold', '100')
  expect(out).toMatch(/100\.0 % {2}rego\/older\.rego\n100\.0 % {2}rego\/tool_decision\.rego\n\n\d+ passed, 0 failed/)
  expect(code).toBe(0)
})

describe('a run with failures', () => {
  const cwd = holding({ ...FILES, 'rego/tool_decision_test.rego': RULES_TEST })

  test('shows expected and actual side by side with the reasons, and what a test printed', async () => {
    const { code, out } = await policy(cwd, 'test')
    expect(out).toContain('FAIL  cases/refunds.yaml:5  a <large> "refund" passes')
    expect(out).toMatch(/^ {12}expected +actual$/m)
    expect(out).toMatch(/^ {2}decision {2}allow +deny$/m)
    expect(out).toMatch(/^ {2}reasons {3}allowed_by_rule {2}no_rule_allows$/m)
    expect(out).toMatch(/^ {2}because {3}small +No rule allows the write create_refund .* \(countersign\.defaults\)$/m)
    expect(out).toMatch(
      /FAIL {2}rego\/tool_decision_test\.rego:10 {2}test_large\n {2}false or undefined: .*\n {2}printed: here/,
    )
    expect(out).toMatch(/\n2 passed, 2 failed, 1 skipped\n$/)
    expect(code).toBe(1)
  })

  test('--run chooses tests and cases by name', async () => {
    const { code, out } = await policy(cwd, 'test', '--run', 'small')
    expect({ code, out }).toEqual({ code: 0, out: '2 passed, 0 failed, 0 skipped\n' })
    expect(await policy(cwd, 'test', '--run', 'nothing like it')).toMatchObject({ code: 1 })
  })

  test('JUnit has a suite for each file, and escapes what a case is called', async () => {
    const { code, out } = await policy(cwd, 'test', '--format', 'junit', '--out', 'report.xml')
    expect(code).toBe(1)
    expect(out).toContain('2 passed, 2 failed, 1 skipped')
    const xml = readFileSync(join(cwd, 'report.xml'), 'utf8')
    expect(xml).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="[^"]*" tests="5" failures="2"/)
    expect(xml).toMatch(/<testsuite name="cases\/refunds\.yaml" tests="2" failures="1" errors="0" skipped="0"/)
    expect(xml).toContain('<testcase name="a &lt;large&gt; &quot;refund&quot; passes" classname="cases/refunds.yaml"')
    expect(xml).toContain('<failure message="decision: deny, where allow is expected')
    expect(xml).toContain('><skipped/></testcase>')
  })

  test('JSON has all of it, and coverage by line without library and tests', async () => {
    const { out } = await policy(cwd, 'test', '--coverage', '--format', 'json')
    const report = JSON.parse(out) as { tests: object[]; coverage: object }
    expect(report).toMatchObject({ passed: 2, failed: 2, skipped: 1 })
    expect(report.tests[0]).toMatchObject({
      name: 'test_small',
      file: 'rego/tool_decision_test.rego',
      outcome: 'passed',
    })
    expect(Object.keys(report.coverage)).toEqual(['rego/tool_decision.rego'])
  })
})

test('a file that is covered less than the threshold fails, and its lines are named', async () => {
  const cases =
    'cases:\n  - name: a read\n    input: { provider: stripe, operation: list_customers }\n    expect: allow\n'
  const cwd = holding({ ...FILES, 'cases/refunds.yaml': cases })
  const { code, out, err } = await policy(cwd, 'test', '--threshold', '90')
  expect(out).toMatch(/rego\/tool_decision\.rego {2}not covered: 5/)
  expect(err).toContain('covered less than 90 %: rego/tool_decision.rego')
  expect(code).toBe(1)
})

test.each([
  {
    name: 'a field that no case has',
    cases: 'cases:\n  - name: a\n    expects: allow\n    expect: allow\n',
    tells: 'cases/a.yaml:3:14: the file.cases.0 has no field expects',
  },
  {
    name: 'a field that no call has',
    cases:
      'cases:\n  - name: a\n    input: { provider: stripe, operation: list_customers, agent: { rolle: x } }\n    expect: allow\n',
    tells: 'cases/a.yaml:3:75: case "a": input.agent has no field rolle',
  },
  {
    name: 'an operation that the catalogue does not have',
    cases: 'cases:\n  - name: a\n    input: { provider: stripe, operation: create_refnd }\n    expect: deny\n',
    tells: 'input has no group, and the catalogue cannot tell it',
  },
  {
    name: 'a decision that there is not',
    cases: 'cases:\n  - name: a\n    input: { provider: stripe, operation: list_customers }\n    expect: maybe\n',
    tells: 'cases/a.yaml:4:13: the file.cases.0.expect is not one of allow, deny, hold',
  },
  {
    name: 'two cases of one name',
    cases:
      'input: { provider: stripe, operation: list_customers }\ncases:\n  - { name: a, expect: allow }\n  - { name: a, expect: allow }\n',
    tells: 'cases/a.yaml:4:13: case "a": another case has this name',
  },
  {
    name: 'a project policy with a mistake',
    cases:
      'input: { provider: stripe, operation: list_customers }\nprojects: [{ project: p, grant: [] }]\ncases:\n  - { name: a, expect: allow }\n',
    tells: 'the project policy has no field "grant"',
  },
  { name: 'what is not YAML', cases: 'cases: [\n', tells: 'cases/a.yaml:' },
])('a table that cannot be read is told at its place, with exit code 2: $name', async ({ cases, tells }) => {
  const { code, err } = await policy(holding({ 'rego/tool_decision.rego': RULES, 'cases/a.yaml': cases }), 'test')
  expect(err).toContain(tells)
  expect(err).toContain('\n  fix: ')
  expect(code).toBe(2)
})

test('a policy that does not compile is exit code 2, and a pattern that names nothing is refused', async () => {
  const broken = holding({ 'rego/tool_decision.rego': 'package tool_decision\n\nallow {\n' })
  expect(await policy(broken, 'test')).toMatchObject({ code: 2, out: '' })
  const { code, err } = await policy(holding(FILES), 'test', '--cases', 'none/**/*.yaml')
  expect(err).toContain('--cases none/**/*.yaml names no YAML file')
  expect(code).toBe(1)
})

test('files are chosen by name, by folder and by pattern', async () => {
  const one = CASES.slice(0, CASES.indexOf('  - name: a <large>'))
  const cwd = holding({
    'rego/tool_decision.rego': RULES,
    'tables/a/one.yaml': one,
    'tables/two.yml': one,
    'tables/x.txt': '',
  })
  const passed = async (...cases: string[]) => (await policy(cwd, 'test', '--cases', ...cases)).out
  expect(await passed('tables')).toContain('2 passed')
  expect(await passed('tables/**/*.yaml')).toContain('1 passed')
  expect(await passed('tables/*', 'tables/two.yml')).toContain('1 passed')
})

test('--watch runs again when a rule changes', async () => {
  const cwd = holding({ ...FILES, 'cases/refunds.yaml': CASES.slice(0, CASES.indexOf('  - name: a <large>')) })
  let changed = false
  const out = await until(['policy', 'test', '--watch'], { cwd }, (said) => {
    if (!changed && said.includes('1 passed')) {
      changed = true
      // Not before the watch has begun.
      setTimeout(() => writeFileSync(join(cwd, 'rego/tool_decision.rego'), RULES.replace('<= 5000', '<= 50')), 2_000)
    }
    return said.includes('1 failed')
  })
  expect(out).toMatch(/1 passed, 0 failed[\s\S]*0 passed, 1 failed/)
})

test('the example repository passes as its workflow runs it', async () => {
  expect(await policy(EXAMPLE, 'fmt', '--check', '--diff')).toMatchObject({ code: 0, out: '' })
  const { code, out } = await policy(EXAMPLE, 'test', '--coverage', '--threshold', '80')
  expect(out).toMatch(/\d\d passed, 0 failed, 0 skipped\n$/)
  expect(code).toBe(0)
})
