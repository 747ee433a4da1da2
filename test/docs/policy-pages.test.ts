/** The pages on policy say what the schemas, the library and the commands do. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readCaseFiles } from '../../src/cli/policy-case-files.ts'
import {
  explainPolicyRefusal,
  isPolicyRefusal,
  openPolicy,
  parseProjectPolicy,
  runCases,
} from '../../src/policy/index.ts'
import { folders, LIBRARY_DIR, REFUND_RULE, REGO_DIR, SCHEMAS } from '../policy/folders.ts'
import { blocksOf, ROOT } from './console.ts'
import { bare, rowsUnder } from './tables.ts'

const page = (name: string): string => readFileSync(join(ROOT, 'docs/policy', name), 'utf8')
const schema = (name: string) => JSON.parse(readFileSync(new URL(`${name}.json`, SCHEMAS), 'utf8'))
const block = (name: string, language: string): string =>
  blocksOf(page(name)).find((each) => each.language === language)!.text
const names = (heading: string, name = 'README.md'): string[] =>
  rowsUnder(page(name), heading).map(([field]) => bare(field!))

interface Field {
  readonly description: string
  readonly properties?: Readonly<Record<string, Field>>
  readonly items?: Partial<Field>
  readonly required?: readonly string[]
}

/** Each field of input, those within it below it. */
const fieldsOf = ({ properties = {}, required = [] }: Partial<Field>, path = ''): string[][] =>
  Object.entries(properties).flatMap(([name, field]) => [
    [`${path}${name}`, required.includes(name) ? 'always' : '', field.description],
    ...fieldsOf(field, `${path}${name}.`),
    ...fieldsOf(field.items ?? {}, `${path}${name}[_].`),
  ])

describe('docs/policy/README.md', () => {
  it('has every field of the input, as the schema describes it', () => {
    const rows = rowsUnder(page('README.md'), '## The input')
    expect(rows.map(([field, , there, holds]) => [bare(field!), there, holds])).toEqual(
      fieldsOf(schema('decision-input')),
    )
  })

  it('has every field of the output', () => {
    expect(names('## The output').sort()).toEqual(Object.keys(schema('decision').properties).sort())
  })

  it('has every code that the library gives, with the part that gives it', () => {
    const given = readdirSync(LIBRARY_DIR)
      .filter((file) => file.endsWith('.rego'))
      .flatMap((file) => {
        const text = readFileSync(join(LIBRARY_DIR, file), 'utf8')
        return [...text.matchAll(/(?:reason\(|"code": )"([a-z_]+)"/g)].map(([, code]) => code!)
      })
    expect(names('## The codes').sort()).toEqual([...new Set(given)].sort())
  })

  it('shows the rule of first-line support as the tests run it', () => {
    expect(block('README.md', 'rego').trim()).toBe(REFUND_RULE.trim())
  })
})

it('docs/policy/obligations.md has every obligation', () => {
  const obligations = schema('decision').properties.obligations.properties
  expect(names('# Obligations', 'obligations.md').sort()).toEqual(Object.keys(obligations).sort())
})

it('docs/policy/project-policies.md has every field, and a policy that loads', () => {
  const { properties } = schema('project-policy')
  const fields = [...Object.keys(properties), ...Object.keys(properties.grants.items.properties)]
  const told = rowsUnder(page('project-policies.md'), '## The fields').flatMap(([field]) => bare(field!).split(', '))
  expect(told.sort()).toEqual(fields.sort())
  expect(parseProjectPolicy(block('project-policies.md', 'yaml'), 'p.yaml')).toMatchObject({ ok: true, warnings: [] })
})

/** The rule of the pages, where an operator may put it. */
const PLACES = [
  ['alone in its file', REFUND_RULE],
  [
    'below the starter policy',
    `${readFileSync(join(REGO_DIR, 'tool_decision.rego'), 'utf8')}\n${REFUND_RULE.replace('package tool_decision\n', '')}`,
  ],
] as const

it.each(PLACES)(
  'the cases of docs/policy/testing.md pass with the rule %s',
  async (_, rego) => {
    const at = await folders({ 'rego/tool_decision.rego': rego, 'cases/table.yaml': block('testing.md', 'yaml') })
    const policy = await openPolicy({ policyDir: at.policyDir, libraryDir: LIBRARY_DIR })
    if (isPolicyRefusal(policy)) throw new Error(explainPolicyRefusal(policy))
    const cases = readCaseFiles([join(at.root, 'cases/table.yaml')])
    if (isPolicyRefusal(cases)) throw new Error(explainPolicyRefusal(cases))
    const results = await runCases(policy, cases)
    expect(results.flatMap(({ case: { name }, faults }) => faults.map((fault) => `${name}: ${fault}`))).toEqual([])
  },
  60_000,
)
