/** `init --policy-repo` writes the example, and `fmt` and `bench` work in it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { policyRepoFiles } from '../../src/cli/policy-repo-files.ts'
import { run } from '../cli/run.ts'
import { EXAMPLE, holding, policy } from './folder.ts'

test('examples/policy-repo is what init writes: to renew it, run `countersign init --policy-repo --force` there', () => {
  const there = policyRepoFiles().map(({ path }) => ({ path, content: readFileSync(join(EXAMPLE, path), 'utf8') }))
  expect(there).toEqual(policyRepoFiles())
})

const contentOf = (name: string): string => policyRepoFiles().find(({ path }) => path === name)!.content

const COMMANDS = {
  workflow: () => {
    const workflow = parse(contentOf('.github/workflows/policy.yml'))
    const { jobs } = workflow as { jobs: { policy: { steps: { run?: string }[] } } }
    return jobs.policy.steps.flatMap(({ run: command }) => command ?? [])
  },
  README: () => {
    const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(contentOf('README.md')) ?? []
    return block
      .trim()
      .split('\n')
      .map((line) => line.replace(/ +#.*/, ''))
  },
  'package.json': () => Object.values<string>(JSON.parse(contentOf('package.json')).scripts),
}

test.each([
  ['workflow', ['npm ci', 'fmt', 'check', 'test']],
  ['README', ['npm install', 'check', 'test']],
  ['package.json', ['check', 'test', 'fmt']],
] as const)('the commands of its %s pass as they are written', async (where, named) => {
  const cwd = holding({})
  await run(['init', '--policy-repo'], { cwd })
  const commands = COMMANDS[where]()
  const words = commands.map((command) => command.replace(/^(npx )?countersign policy /, '').split(' '))
  expect(words.map(([verb, noun]) => (verb === 'npm' ? `npm ${noun}` : verb))).toEqual(named)
  for (const args of words.filter(([verb]) => verb !== 'npm'))
    expect(await policy(cwd, ...args), args.join(' ')).toMatchObject({ code: 0 })
})

test('init --policy-repo writes, leaves what is there alone, and what it writes passes', async () => {
  const cwd = holding({})
  const first = await run(['init', '--policy-repo'], { cwd })
  expect(first).toMatchObject({ code: 0, err: '' })
  for (const { path } of policyRepoFiles()) expect(first.out).toContain(`wrote ${path}\n`)
  expect(await run(['init', '--policy-repo'], { cwd })).toMatchObject({ code: 1 })
  expect(await policy(cwd, 'test')).toMatchObject({ code: 0 })
})

test('fmt lists, shows, checks and formats, each file in its own dialect', async () => {
  const older = 'package tool_decision\n\nallow   { input.occurrence == 1 }\n'
  const newer = 'package limits\n\nimport rego.v1\n\ncap := 5\n'
  const cwd = holding({ 'rego/tool_decision.rego': older, 'rego/limits.rego': newer })
  expect(await policy(cwd, 'fmt')).toMatchObject({ code: 0, out: 'rego/tool_decision.rego\n' })
  expect(await policy(cwd, 'fmt', '--check', '--diff')).toMatchObject({
    code: 1,
    out: `--- a/rego/tool_decision.rego
+++ b/rego/tool_decision.rego
@@ -1,3 +1,5 @@
 package tool_decision
 
-allow   { input.occurrence == 1 }
+allow {
+	input.occurrence == 1
+}
`,
  })
  expect(await policy(cwd, 'fmt', '--write')).toMatchObject({ code: 0 })
  expect(readFileSync(join(cwd, 'rego/tool_decision.rego'), 'utf8')).toBe(
    'package tool_decision\n\nallow {\n\tinput.occurrence == 1\n}\n',
  )
  expect(await policy(cwd, 'fmt', '--check')).toMatchObject({ code: 0, out: '' })
})

test('bench measures a call as a case has it, and refuses what is no call', async () => {
  const cwd = holding({
    'call.yaml': '{ provider: stripe, operation: list_customers }',
    'bad.yaml': '{ provider: stripe, operation: none }',
  })
  const { code, out } = await policy(cwd, 'bench', '--input', 'call.yaml', '--count', '100', '--format', 'json')
  expect(code).toBe(0)
  const measured = JSON.parse(out) as Record<'p50_us' | 'p99_us' | 'input_bytes' | 'wasm_bytes', number>
  expect(measured).toMatchObject({ decision: 'allow', evaluations: 100 })
  expect(measured.p50_us).toBeGreaterThan(0)
  expect(measured.p99_us).toBeGreaterThanOrEqual(measured.p50_us)
  expect(measured.input_bytes).toBeGreaterThan(300)
  expect(measured.wasm_bytes).toBeGreaterThan(10_000)
  const bad = await policy(cwd, 'bench', '--input', 'bad.yaml')
  expect(bad.err).toContain('bad.yaml: input')
  expect(bad.code).toBe(1)
})

test.each(['check', 'fmt', 'test', 'build', 'bench'])('policy %s has a help with examples', async (command) => {
  const { code, out } = await policy(holding({}), command, '--help')
  expect(out).toContain(`Usage: countersign policy ${command}`)
  expect(out).toMatch(/^Examples:\n {2}\$ countersign policy/m)
  expect(code).toBe(0)
})
