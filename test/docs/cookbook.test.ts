/** Each rule of the cookbook, below the starter policy: its cases by the compiled policy and by OPA's own evaluator. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readCaseFiles } from '../../src/cli/policy-case-files.ts'
import { inputSchema } from '../../src/cli/policy-schemas.ts'
import {
  checkRego,
  explainPolicyRefusal,
  isPolicyRefusal,
  openPolicy,
  readPolicy,
  runCases,
} from '../../src/policy/index.ts'
import { folders, LIBRARY_DIR, REGO_DIR } from '../policy/folders.ts'

const page = readFileSync(new URL('../../docs/policy/cookbook.md', import.meta.url), 'utf8')
const starter = readFileSync(join(REGO_DIR, 'tool_decision.rego'), 'utf8')

const RECIPES = page
  .split(/^## /m)
  .slice(1)
  .map((text) => ({
    title: text.split('\n')[0]!,
    rego: blocks(text, 'rego'),
    cases: blocks(text, 'yaml'),
  }))

function blocks(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, body]) => body!)
}

test('there are twenty, each with one rule and one table', () => {
  expect(RECIPES.map(({ title }) => Number.parseInt(title, 10))).toEqual(Array.from({ length: 20 }, (_, at) => at + 1))
  for (const { rego, cases } of RECIPES) expect([rego.length, cases.length]).toEqual([1, 1])
})

test.each(RECIPES)('$title', { timeout: 60_000 }, async ({ rego, cases: [table] }) => {
  const at = await folders({ 'rego/tool_decision.rego': `${starter}\n${rego[0]}`, 'cases/table.yaml': table! })
  const policy = await openPolicy({ policyDir: at.policyDir, libraryDir: LIBRARY_DIR })
  if (isPolicyRefusal(policy)) throw new Error(explainPolicyRefusal(policy))
  const cases = readCaseFiles([join(at.root, 'cases/table.yaml')])
  if (isPolicyRefusal(cases)) throw new Error(explainPolicyRefusal(cases))
  const results = await runCases(policy, cases)
  expect(results.flatMap(({ case: { name }, faults }) => faults.map((fault) => `${name}: ${fault}`))).toEqual([])
  // A table that knows one answer alone would not show that the rule matters.
  const answers = new Set(results.map(({ answer }) => JSON.stringify([answer?.decision, answer?.obligations])))
  expect(answers.size).toBeGreaterThan(1)
})

test('they go together in one file, and name no field that input does not have', { timeout: 60_000 }, async () => {
  const all = [starter, ...RECIPES.map(({ rego }) => rego[0]!)].join('\n')
  const at = await folders({ 'rego/tool_decision.rego': all })
  const policy = await readPolicy({ policyDir: at.policyDir, libraryDir: LIBRARY_DIR })
  if (isPolicyRefusal(policy)) throw new Error(explainPolicyRefusal(policy))
  const strict = await checkRego(policy.modules, inputSchema())
  expect(strict.ok || strict.errors).toBe(true)
})
