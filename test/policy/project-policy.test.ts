/** Project policies: the one of the design loads as written; what is wrong in one is told with line, column and fix. */
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseProjectPolicy } from '../../src/policy/index.ts'
import { atOnce } from '../../src/policy/pausing.ts'
import { projectData } from '../../src/policy/project-data.ts'
import { partsOf } from '../../src/policy/project-parts.ts'
import { SCHEMAS } from './folders.ts'

const isProjectPolicy = new Ajv2020({ strict: true }).compile(
  JSON.parse(readFileSync(new URL('project-policy.json', SCHEMAS), 'utf8')),
)

const BILLING = `# project-billing — RBAC policy
# Deny by default. Only listed grants are allowed.
project: project-billing
agents:
  - billing-reconciler-1
  - invoice-generator
grants:
  - service: aws
    actions: [s3:GetObject, s3:PutObject]
    resources: ["arn:aws:s3:::ledger-internal/*"]
  - service: git
    actions: [read, push]
    resources: ["reidataai/billing-ledger"]
    branches: ["feature/*"]
  - service: tools
    actions: [Read, Edit, Bash]
    deny: ["rm -rf", "git push --force"]
`

test('the policy of the design loads as written', () => {
  expect(parseProjectPolicy(BILLING, 'policies/billing.yaml')).toEqual({
    ok: true,
    warnings: [],
    policy: {
      project: 'project-billing',
      agents: ['billing-reconciler-1', 'invoice-generator'],
      grants: [
        {
          service: 'aws',
          actions: ['s3:GetObject', 's3:PutObject'],
          resources: ['arn:aws:s3:::ledger-internal/*'],
        },
        {
          service: 'git',
          actions: ['read', 'push'],
          resources: ['reidataai/billing-ledger'],
          branches: ['feature/*'],
        },
        { service: 'tools', actions: ['Read', 'Edit', 'Bash'], deny: ['rm -rf', 'git push --force'] },
      ],
    },
  })
  expect(isProjectPolicy(parse(BILLING))).toBe(true)
})

const grant = (lines: string) => `project: p\nagents: [a]\ngrants:\n  - service: stripe\n    actions: [read]\n${lines}`

/** `schema`: whether the published JSON Schema refuses the file as well, as an editor would. */
const WRONG = [
  {
    name: 'an unknown field',
    source: 'project: p\nagent: [a]\n',
    row: 2,
    col: 1,
    says: 'no field "agent"',
    schema: true,
  },
  {
    name: 'an unknown field of a grant',
    source: grant('    resource: [x]\n'),
    row: 6,
    col: 5,
    says: '"resource"',
    schema: true,
  },
  { name: 'a field twice', source: 'project: p\nproject: q\n', row: 2, col: 1, says: 'unique', schema: false },
  { name: 'no project', source: 'agents: [a]\n', row: 1, col: 1, says: 'names no project', schema: true },
  {
    name: 'a grant without actions',
    source: 'project: p\ngrants:\n  - service: aws\n',
    row: 3,
    col: 5,
    says: 'no actions',
    schema: true,
  },
  { name: 'an empty list', source: grant('    resources: []\n'), row: 6, col: 16, says: 'empty list', schema: true },
  { name: 'a text for a list', source: grant('    resources: x\n'), row: 6, col: 16, says: 'not a list', schema: true },
  { name: 'a number for a text', source: 'project: 7\n', row: 1, col: 10, says: 'not a text', schema: true },
  {
    name: 'a glob of another kind',
    source: grant('    resources: ["a[bc]"]\n'),
    row: 6,
    col: 17,
    says: 'a[bc]',
    schema: true,
  },
  { name: 'two stars', source: grant('    resources: ["a/**"]\n'), row: 6, col: 17, says: 'a/**', schema: true },
  {
    name: 'an expiry that is no time',
    source: grant('    expires: tomorrow\n'),
    row: 6,
    col: 14,
    says: 'not a time',
    schema: false,
  },
  {
    name: 'an expiry without a zone',
    source: grant('    expires: 2026-11-21T10:00:00\n'),
    row: 6,
    col: 14,
    says: 'not a time',
    schema: false,
  },
  {
    name: 'an expiry on a day that is not',
    source: grant('    expires: 2026-02-31T99:00:00Z\n'),
    row: 6,
    col: 14,
    says: 'not a time',
    schema: false,
  },
  { name: 'broken YAML', source: 'project: [p\n', row: 2, col: 1, says: '', schema: false },
  {
    name: 'a list where the policy should be',
    source: '- project: p\n',
    row: 1,
    col: 1,
    says: 'not a map',
    schema: true,
  },
  { name: 'an empty file', source: '', row: 1, col: 1, says: 'not a map', schema: true },
]

describe('what is wrong is told with its place and a fix', () => {
  test.each(WRONG)('$name', ({ source, row, col, says, schema }) => {
    const parsed = parseProjectPolicy(source, 'policies/p.yaml')
    if (parsed.ok) throw new Error('it loaded')
    expect(parsed.problems[0]).toMatchObject({ file: 'policies/p.yaml', row, col })
    expect(parsed.problems[0]!.message).toContain(says)
    expect(parsed.problems[0]!.fix).not.toBe('')
    if (schema) expect(isProjectPolicy(parse(source))).toBe(false)
  })

  test('all of it at once', () => {
    const parsed = parseProjectPolicy('project: 7\nagent: [a]\ngrants: x\n', 'p.yaml')
    expect(parsed.ok ? [] : parsed.problems.map(({ row }) => row).sort()).toEqual([1, 2, 3])
  })
})

test('an expiry in the past is a warning with its line: the file must still load on the day after', () => {
  const source = grant('    expires: 2026-11-21T10:00:00Z\n')
  const parsed = parseProjectPolicy(source, 'p.yaml', { now: new Date('2026-11-21T10:00:00Z') })
  expect(parsed).toMatchObject({ ok: true, warnings: [{ code: 'grant_expired', row: 6, col: 14 }] })
  expect(parseProjectPolicy(source, 'p.yaml', { now: new Date('2026-11-21T09:59:59Z') })).toMatchObject({
    warnings: [],
  })
})

test('of grants that say the same, the one that holds longest is looked up; those with branches or deny stand beside it', () => {
  const grants = [
    { service: 'stripe', actions: ['refunds:create'], expires: '2026-01-01T00:00:00Z' },
    { service: 'stripe', actions: ['refunds:create'], expires: '2026-03-01T00:00:00Z' },
    { service: 'stripe', actions: ['refunds:create'], expires: '2026-02-01T00:00:00Z' },
    { service: 'stripe', actions: ['refunds:create'], deny: ['*'] },
  ]
  expect(atOnce(projectData({ project: 'p', agents: ['a'], grants }))).toMatchObject({
    services: { stripe: { lookup: { 'refunds:create': { '*': [1, 3] } } } },
  })
  const lasting = [...grants, { service: 'stripe', actions: ['refunds:create'] }]
  expect(atOnce(projectData({ project: 'p', agents: ['a'], grants: lasting }))).toMatchObject({
    services: { stripe: { lookup: { 'refunds:create': { '*': [4, 3] } } } },
  })
})

describe('a file that is read in parts means what it means as a whole', () => {
  const GRANTS = 400
  const lines = Array.from({ length: GRANTS }, (_, at) =>
    [
      `- service: aws # the ${at}th`,
      '  actions:',
      `  - s3:Get${at}`,
      '  - "a',
      '    b"',
      ...(at % 3 === 0 ? ['', '# grants:', '  requested_by: |', '    - service: git', '    agents: [x]'] : []),
    ].join('\n'),
  )
  const indented = (by: string) => lines.map((line) => line.replace(/^(?=.)/gm, by)).join('\n')
  const head = 'project: p\nagents:\n- a\n'
  const files = {
    'grants last': `${head}grants:\n${indented('  ')}\n`,
    'grants without indentation': `${head}grants: # all of them\n\n# the first:\n${indented('')}`,
    'grants first': `grants:\n${indented('    ')}\nproject: p\nagents: [a]\n`,
    'lines that end as on Windows': `${head}grants:\n${indented(' ')}\n`.replaceAll('\n', '\r\n'),
    'a document with its marks': `---\n${head}grants:\n${indented('  ')}\n...\n`,
  }

  test.each(Object.entries(files))('%s', (_, source) => {
    expect([...partsOf(source)].length).toBeGreaterThan(10)
    const parsed = parseProjectPolicy(source, 'p.yaml')
    expect(parsed).toEqual({ ok: true, policy: parse(source), warnings: [] })
  })

  test('mistakes are told in the order of the file, each in its row', () => {
    const source = files['grants first'].replace('s3:Get0', '[s3]').replace('s3:Get390', '7').replace('[a]', 'a')
    const rowOf = (text: string) => source.slice(0, source.indexOf(text)).split('\n').length
    const parsed = parseProjectPolicy(source, 'p.yaml')
    expect(parsed).toMatchObject({
      ok: false,
      problems: [
        { row: rowOf('[s3]') },
        { row: rowOf('- 7') },
        { row: rowOf('agents: a'), message: 'agents is not a list' },
      ],
    })
  })

  test('broken YAML is told in its row, wherever it is', () => {
    const source = files['grants first'].replace('s3:Get390', '"s3').replace('[a]', '[a')
    const row = source.slice(0, source.indexOf('"s3')).split('\n').length
    const parsed = parseProjectPolicy(source, 'p.yaml')
    expect(parsed.ok || parsed.problems.map((problem) => problem.row! >= row)).not.toContain(false)
  })

  test('a list in brackets is one part, and refused where it is long', () => {
    const listOf = (count: number) =>
      `project: p\nagents: [a]\ngrants: [${Array.from({ length: count }, (_, at) => `{service: aws, actions: [s3:Get${at}]}`).join(', ')}]\n`
    expect(parseProjectPolicy(listOf(100), 'p.yaml')).toMatchObject({ ok: true })
    expect(parseProjectPolicy(listOf(10_000), 'p.yaml')).toMatchObject({
      ok: false,
      problems: [
        { row: 1, col: 1, message: expect.stringContaining('256 KiB'), fix: expect.stringContaining('- service') },
      ],
    })
  })
})
