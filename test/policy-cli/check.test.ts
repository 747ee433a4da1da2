/** `policy check`: each mistake at its place, with what was meant. */
import { beforeAll, describe, expect, test } from 'vitest'
import { EXAMPLE, holding, policy } from './folder.ts'

const rules = (body: string) => `package tool_decision\n\nimport rego.v1\n\n${body}\n`

interface Told {
  readonly file: string
  readonly row: number
  readonly col: number
  readonly code: string
  readonly message: string
  readonly fix: string
}
interface Checked {
  readonly errors: readonly Told[]
  readonly warnings: readonly Told[]
}

async function check(files: Readonly<Record<string, string>>): Promise<Checked & { readonly exit: number | null }> {
  const { code, out } = await policy(holding(files), 'check', '--format', 'json')
  return { ...(JSON.parse(out) as Checked), exit: code }
}

/** `at` is where the mistake is told. */
const MISTAKES = [
  {
    name: 'a misspelt field of the agent',
    rule: 'allow if input.agent.rolle == "support"',
    at: 'input.agent',
    told: { message: 'input.agent has no field rolle, so the rule could never fire', fix: 'Write input.agent.role.' },
  },
  {
    name: 'a misspelt field at the top',
    rule: 'allow if input.paramz.amount <= 5',
    at: 'input.paramz',
    told: { message: 'input has no field paramz, so the rule could never fire', fix: 'Write input.params.' },
  },
  {
    name: 'a misspelt field of a budget',
    rule: 'deny contains "a" if input.spend[_].kap > 1',
    at: 'input.spend',
    told: {
      message: 'input.spend[_] has no field kap, so the rule could never fire',
      fix: 'Write input.spend[_].cap.',
    },
  },
  {
    name: 'a field that is like no other',
    rule: 'deny contains "b" if input.agent.mother',
    at: 'input.agent',
    told: {
      message: 'input.agent has no field mother, so the rule could never fire',
      fix: 'input.agent has: id, role. What was sent is in input.params.',
    },
  },
  {
    name: 'a misspelt field of a budget that has a name',
    rule: 'deny contains "c" if { some budget in input.spend; budget.kap > 1 }',
    at: 'budget.kap',
    told: { code: 'unknown_field', fix: expect.stringContaining('Correct its spelling') },
  },
  {
    name: 'a field of a plain value',
    rule: 'allow if input.operation.name == "x"',
    at: 'input.operation',
    told: { code: 'unknown_field', fix: 'input.operation is a plain value: compare it as a whole.' },
  },
  {
    name: 'a number compared with a text',
    rule: 'allow if input.amount.value == "5"',
    at: 'input.amount',
    told: { code: 'never_equal', fix: expect.stringContaining('amounts are numbers') },
  },
  {
    name: 'a builtin that gets another type',
    rule: 'allow if startswith(input.amount.value, "5")',
    at: 'startswith',
    told: { code: 'wrong_argument', message: expect.stringContaining('startswith gets an argument of a type') },
  },
  {
    name: 'a variable that nothing uses',
    rule: 'allow if { cap := 5; input.occurrence == 1 }',
    at: 'cap',
    told: { code: 'unused', message: 'the variable cap is not used' },
  },
  {
    name: 'a name that a rule does not have',
    rule: 'allow if data.tool_decision.caps.eur > 1',
    at: 'data',
    told: { code: 'undefined_ref', fix: 'Correct its spelling, or define it.' },
  },
] as const

// Halves, because OPA stops at ten errors.
const HALVES = [MISTAKES.slice(0, 5), MISTAKES.slice(5)]

describe.each(HALVES.map((mistakes) => ({ mistakes })))('mistakes in one file', ({ mistakes }) => {
  let found: Awaited<ReturnType<typeof check>>
  beforeAll(async () => {
    found = await check({
      'rego/tool_decision.rego': rules(['caps := {"usd": 5}', ...mistakes.map(({ rule }) => rule)].join('\n\n')),
    })
  })

  test.each(mistakes.map((mistake, index) => ({ ...mistake, row: 7 + index * 2 })))(
    '$name',
    ({ rule, at, told, row }) => {
      const col = rule.indexOf(at) + 1
      expect(found.errors).toContainEqual(
        expect.objectContaining({ file: 'rego/tool_decision.rego', row, col, ...told }),
      )
    },
  )

  test('nothing else is told, and the exit code is 1', () => {
    expect(found.errors).toHaveLength(mistakes.length)
    expect(found.exit).toBe(1)
  })
})

test('more mistakes than OPA tells are announced as such', async () => {
  const many = Array.from({ length: 12 }, (_, n) => `deny contains "${n}" if input.agent.rolle`)
  const { errors } = await check({ 'rego/tool_decision.rego': rules(many.join('\n\n')) })
  expect(errors.at(-1)).toMatchObject({ code: 'more', fix: 'Correct these, and check again.' })
})

test('the older dialect, unused imports and project policies are told in the same run', async () => {
  const older = 'package tool_decision\n\nimport data.limits\n\nhold {\n\tinput.agent.rolle == "support"\n}\n'
  const found = await check({
    'rego/tool_decision.rego': older,
    'policies/a.yaml': 'project: a\nagents: [x]\ngrants:\n  - service: stripe\n    action: [x]\n',
  })
  expect(found).toMatchObject({
    exit: 1,
    errors: [
      { file: 'rego/tool_decision.rego', row: 3, col: 1, code: 'unused', fix: 'Remove the import.' },
      { file: 'rego/tool_decision.rego', row: 6, col: 2, code: 'unknown_field', fix: 'Write input.agent.role.' },
      { file: 'policies/a.yaml', row: 4, col: 5, message: 'grant 1 has no actions' },
      { file: 'policies/a.yaml', row: 5, col: 5, message: 'grant 1 has no field "action"' },
    ],
  })
})

test.each([
  {
    name: 'broken syntax is told as text, with its place and the fix',
    rego: rules('allow if {'),
    tells: /^rego\/tool_decision\.rego:6: .*\n {2}fix: Correct the syntax/m,
  },
  {
    name: 'a builtin that does not run in the gateway',
    rego: rules('allow if http.send({"method": "GET", "url": "x"}).status_code == 200'),
    tells: /^rego\/tool_decision\.rego:5:10: the function http\.send is not defined.*\n {2}fix: .*as input or data/m,
  },
  {
    name: 'an answer in a shape that the gateway does not take',
    rego: rules('obligations := {"tag": "x"} if input.occurrence > 0'),
    tells: /obligations\.tag is unknown/,
  },
])('$name', async ({ rego, tells }) => {
  const { code, out } = await policy(holding({ 'rego/tool_decision.rego': rego }), 'check')
  expect(out).toMatch(tells)
  expect(code).toBe(1)
})

test('obligations of any one kind pass, whatever the library does with others', async () => {
  const found = await check({
    'rego/tool_decision.rego': rules('obligations := {"repeat_window_s": 60} if input.occurrence > 0'),
  })
  expect(found).toEqual({ exit: 0, errors: [], warnings: [] })
})

test('what never fires is a warning, and what is only unusual is none', async () => {
  const rego = rules(`allow if input.operation in {"create_charge", "create_refnd"}

allow if input.operation == "s3:GetObject"

allow if daytime

daytime if input.params.metadata.order == "7"

# allow if input.operation == "create_refnd"
alow if input.occurrence == 1

deny contains "x" if input.effect == "delete"`)
  const found = await check({
    'rego/tool_decision.rego': rego,
    // A test may call what the policy may not.
    'rego/a_test.rego': 'package a_test\n\nimport rego.v1\n\ntest_now if time.now_ns() > 0\n',
    'policies/a.yaml':
      'project: a\ngrants:\n  - service: stripe\n    actions: [create_refund]\n    expires: "2020-01-01T00:00:00Z"\n',
  })
  expect(found).toMatchObject({
    exit: 0,
    errors: [],
    warnings: [
      { row: 5, col: 47, code: 'unknown_name', fix: 'Write "create_refund".' },
      { row: 14, col: 1, code: 'unread_rule', fix: 'Call it allow, if that is what you mean.' },
      { row: 16, col: 38, code: 'unknown_name', fix: 'Write one of read, write.' },
      { file: 'policies/a.yaml', row: 5, code: 'grant_expired' },
    ],
  })
  expect(found.warnings).toHaveLength(4)
})

test('the packaged policy and the example repository have nothing to correct', async () => {
  const packaged = await policy(holding({}), 'check')
  expect(packaged).toMatchObject({ code: 0, out: '' })
  expect(packaged.err).toContain('this is the packaged starter policy')
  expect(await policy(EXAMPLE, 'check')).toMatchObject({ code: 0, out: '' })
})
