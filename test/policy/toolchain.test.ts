/** OPA's packages behind their one door, and the policy in the package: checked, formatted, tested and covered. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  checkRego,
  compileRego,
  evaluateRego,
  formatRego,
  readPolicy,
  regoBuiltins,
  testRego,
} from '../../src/policy/index.ts'
import { builtins } from '../../src/policy/toolchain/builtins.mjs'
import { LIBRARY_DIR, REFUND_RULE, REGO_DIR, refund, SCHEMAS } from './folders.ts'

const inputSchema = JSON.parse(readFileSync(new URL('decision-input.json', SCHEMAS), 'utf8')) as object
const shipped = await readPolicy({ policyDir: REGO_DIR, libraryDir: LIBRARY_DIR })
if ('refused' in shipped) throw new Error(JSON.stringify(shipped))
const { modules, tests, data } = shipped
const only = (source: string) => [{ path: 'tool_decision.rego', source }]

test('the policy in the package passes the strict check against the schema of its input', async () => {
  expect(await checkRego(modules, inputSchema)).toEqual({ ok: true, value: null })
})

test('the policy in the package and its tests are formatted', async () => {
  const formatted = await formatRego([...modules, ...tests])
  expect(formatted).toEqual({ ok: true, value: [...modules, ...tests] })
})

test('the policy in the package passes its own tests, which reach all of the library', async () => {
  const plain = await testRego([...modules, ...tests], data)
  if (!plain.ok) throw new Error(JSON.stringify(plain.errors))
  expect(plain.value.tests.filter(({ outcome }) => outcome !== 'passed')).toEqual([])
  expect(plain.value.tests.length).toBeGreaterThan(20)
  const measured = await testRego([...modules, ...tests], data, { coverage: true })
  if (!measured.ok) throw new Error(JSON.stringify(measured.errors))
  const files = Object.entries(measured.value.coverage!.files).filter(([name]) => name.startsWith('countersign/'))
  expect(files.map(([name, file]) => ({ name, not_covered: file.not_covered }))).toEqual(
    files.map(([name]) => ({ name, not_covered: [] })),
  )
})

test('a field that the input does not have is an error of the check', async () => {
  const checked = await checkRego(only('package tool_decision\n\nallow if input.opertion == "x"\n'), inputSchema)
  expect(checked).toMatchObject({ ok: false, errors: [{ message: 'undefined ref: input.opertion', row: 3, col: 10 }] })
})

test('a file is formatted in the dialect that it has', async () => {
  const formatted = await formatRego([
    { path: 'old.rego', source: 'package tool_decision\nallow   { input.x }' },
    { path: 'new.rego', source: 'package tool_decision\nallow   if   input.x' },
  ])
  expect(formatted).toEqual({
    ok: true,
    value: [
      { path: 'old.rego', source: 'package tool_decision\n\nallow {\n\tinput.x\n}\n' },
      { path: 'new.rego', source: 'package tool_decision\n\nallow if input.x\n' },
    ],
  })
})

test('a test that fails says which condition did not hold, and what was printed', async () => {
  const source =
    'package a_test\nimport rego.v1\n\ntest_sum if {\n\tprint("here")\n\t1 + 1 == 3\n}\n\ntest_fine if true\n'
  const run = await testRego([{ path: 'a_test.rego', source }], {})
  expect(run).toMatchObject({
    ok: true,
    value: {
      tests: [
        { name: 'test_sum', outcome: 'failed', row: 6, message: 'false or undefined: 1 + 1 == 3', output: 'here\n' },
        { name: 'test_fine', outcome: 'passed' },
      ],
    },
  })
  expect(await testRego([{ path: 'a_test.rego', source }], {}, { run: 'fine' })).toMatchObject({
    value: { tests: [{ name: 'test_fine' }] },
  })
})

test('a trace tells which rules fired and which conditions were missing', async () => {
  const asked = { ...refund, params: { amount: 5001 } }
  const query = 'data.tool_decision.allow'
  const answered = await evaluateRego(only(REFUND_RULE), {}, query, [asked], { trace: true })
  expect(answered).toMatchObject({
    ok: true,
    value: [
      {
        defined: false,
        failed: [{ text: 'input.params.amount <= 5000', row: 7, rule: 'tool_decision.allow' }],
      },
    ],
  })
})

test('the errors of all files come at once', async () => {
  const compiled = await compileRego(
    [
      { path: 'a.rego', source: 'package a\nx if {' },
      { path: 'b.rego', source: 'package b\ny if input. == 1' },
    ],
    ['a/x'],
  )
  expect(compiled.ok ? [] : compiled.errors.map(({ file }) => file)).toEqual(['a.rego', 'b.rego'])
})

test('the same sources compile to the same bytes', async () => {
  const [one, other] = [
    await compileRego(modules, ['countersign/decision']),
    await compileRego(modules, ['countersign/decision']),
  ]
  expect(one.ok && other.ok && one.value.wasm.equals(other.value.wasm)).toBe(true)
})

test('every builtin that the compiler lets through is there when a call is decided', async () => {
  const allowed = await regoBuiltins()
  expect(allowed).toEqual(expect.arrayContaining(Object.keys(builtins)))
  expect(allowed.filter((name) => /^(http|opa|io|crypto|rand|uuid|net\.lookup)|now_ns/.test(name))).toEqual([])
})
