/** Calls through a real gateway, asked again by other policies: what each of those would change. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compare, failsOn, type Report } from '../../src/backtest/index.ts'
import { loadCatalogue } from '../../src/catalogue/index.ts'
import { openRecordedRows } from '../../src/cli/recorded-rows.ts'
import { POLICY_LIBRARY_DIR, PROVIDERS_DIR } from '../../src/layout.ts'
import { isPolicyRefusal, openPolicy } from '../../src/policy/index.ts'
import { run } from '../cli/run.ts'
import { ENGINES, type Key, openWorld, type World } from '../gateway/world.ts'

const RULES = {
  charges: `allow if {
	input.operation == "create_charge"
	input.agent.role == "support-tier-1"
	input.amount.currency == "usd"
	input.amount.value <= 5000
}`,
  hold: 'hold contains "a human looks at this sum" if input.amount.value > 4000',
} as const

const policyOf = (...rules: readonly string[]): string =>
  ['package tool_decision', 'import rego.v1', ...rules, ''].join('\n\n')

const IN_FORCE = policyOf(RULES.charges, RULES.hold)

const FIRST_LINE = { id: 'support-1', role: 'support-tier-1' }
const SECOND_LINE = { id: 'support-2', role: 'support-tier-2' }
const charge = (amount: number) => ({ params: { amount, currency: 'usd', customer: 'cus_123' } })

/** Name → the key that calls, the operation, the call. */
const CALLS = {
  'a small charge': [{ agent: FIRST_LINE }, 'create_charge', charge(1_000)],
  'a charge over the limit': [{ agent: FIRST_LINE }, 'create_charge', charge(9_000)],
  'a charge by the second line': [{ agent: SECOND_LINE }, 'create_charge', charge(1_100)],
  'a charge for a human to see': [{ agent: FIRST_LINE }, 'create_charge', charge(4_500)],
  'a charge that its cap refuses': [
    { agent: FIRST_LINE, budgets: [{ scope: 'key', window: 'day', cap: 100, currency: 'usd' }] },
    'create_charge',
    charge(2_000),
  ],
  'a charge that its key forbids': [
    { agent: FIRST_LINE, limits: [{ param: 'amount', max: 500 }] },
    'create_charge',
    charge(600),
  ],
  'a dry run': [{ agent: FIRST_LINE }, 'create_charge', { ...charge(3_000), dry_run: true }],
  'a read': [{ agent: FIRST_LINE }, 'list_customers', { params: {} }],
  'an operation that nobody knows': [{ agent: FIRST_LINE }, 'print_money', { params: {} }],
} as const satisfies Record<string, readonly [object, string, object]>
type CallName = keyof typeof CALLS

interface Case {
  readonly candidate: string
  /** `from to` → the calls that change so. */
  readonly changes: Readonly<Record<string, readonly CallName[]>>
  readonly amounts?: Readonly<Record<string, object>>
  readonly fails?: readonly string[]
}

const CASES: Readonly<Record<string, Case>> = {
  'the policy in force changes nothing': { candidate: IN_FORCE, changes: {} },
  'a rule for another role newly allows its calls': {
    candidate: policyOf(RULES.charges, RULES.charges.replace('tier-1', 'tier-2'), RULES.hold),
    changes: { 'deny allow': ['a charge by the second line'] },
    amounts: { 'deny allow': { usd: 1_100 } },
    fails: ['newly-allowed', 'any'],
  },
  'a higher limit sends large sums to a human': {
    candidate: policyOf(RULES.charges.replace('5000', '9000'), RULES.hold),
    changes: { 'deny hold': ['a charge over the limit'] },
    fails: ['any'],
  },
  'without its hold rule a policy lets pass what a human saw': {
    candidate: policyOf(RULES.charges),
    changes: { 'hold allow': ['a charge for a human to see'] },
    amounts: { 'hold allow': { usd: 4_500 } },
    fails: ['newly-allowed', 'any'],
  },
  'a deny rule for reads newly denies them': {
    candidate: policyOf(RULES.charges, RULES.hold, 'deny contains "no reads" if input.effect == "read"'),
    changes: { 'allow deny': ['a read'] },
    amounts: { 'allow deny': {} },
    fails: ['newly-denied', 'any'],
  },
  'a policy that allows everything still cannot widen a key': {
    candidate: policyOf('allow if true'),
    changes: {
      'deny allow': ['a charge over the limit', 'a charge by the second line'],
      'hold allow': ['a charge for a human to see'],
    },
    fails: ['newly-allowed', 'any'],
  },
  'a policy that denies everything stops only the money that really moved': {
    candidate: policyOf('deny contains "closed" if true'),
    changes: {
      'allow deny': ['a small charge', 'a charge that its cap refuses', 'a dry run', 'a read'],
      'hold deny': ['a charge for a human to see'],
    },
    amounts: { 'allow deny': { usd: 1_000 } },
    fails: ['newly-denied', 'any'],
  },
  'a rule about spend sees what the counters held then': {
    candidate: policyOf(
      RULES.charges,
      RULES.hold,
      'deny contains "a small budget" if {\n\tsome budget in input.spend\n\tbudget.cap < 1000\n}',
    ),
    changes: { 'allow deny': ['a charge that its cap refuses'] },
    amounts: { 'allow deny': {} },
    fails: ['newly-denied', 'any'],
  },
}

const folders: string[] = []
function folderOf(policy: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-backtest-'))
  folders.push(folder)
  mkdirSync(join(folder, 'rego'))
  writeFileSync(join(folder, 'rego', 'tool_decision.rego'), policy)
  return folder
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

// Each compiles a policy, and some run the command.
describe.each(ENGINES)('on %s', { timeout: 120_000 }, (engine) => {
  let world: World
  const events = new Map<string, CallName>()
  const eventOf = (name: CallName): string => [...events].find(([, call]) => call === name)![0]
  let env: Record<string, string>

  beforeAll(async () => {
    world = await openWorld(engine, { policy: { 'tool_decision.rego': IN_FORCE } })
    env = { COUNTERSIGN_ADMIN_URL: world.gateway.admin_url, COUNTERSIGN_ADMIN_TOKEN: world.gateway.admin_token }
    process.env.COUNTERSIGN_ADMIN_TOKEN = world.gateway.admin_token
    const organisation = world.newOrganisation()
    for (const [name, [request, operation, call]] of Object.entries(CALLS)) {
      const key: Key = await world.issue({ ...request, organisation })
      const { headers } = await world.byName(operation, call, { key })
      events.set(headers.get('countersign-event-id')!, name as CallName)
    }
  })
  afterAll(() => world?.close())

  const backtest = async (candidate: string): Promise<Report> => {
    const opened = await openPolicy({ policyDir: join(folderOf(candidate), 'rego'), libraryDir: POLICY_LIBRARY_DIR })
    if (isPolicyRefusal(opened)) throw new Error(JSON.stringify(opened))
    const rows = await openRecordedRows({ adminUrl: world.gateway.admin_url }, { since: '2020-01-01T00:00:00.000Z' })
    return compare(rows.pages(), {
      ...{ before: null, after: opened.instance(), event_ids_max: 100 },
      ...{ catalogue: loadCatalogue(PROVIDERS_DIR), key: rows.key },
    })
  }

  it.each(Object.entries(CASES))('%s', async (_, { candidate, changes, amounts = {}, fails = [] }) => {
    const report = await backtest(candidate)
    const found = report.changes.map(({ from, to, by_operation }) => [
      `${from} ${to}`,
      by_operation.flatMap(({ event_ids }) => event_ids.map((id) => events.get(id))).sort(),
    ])
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(Object.entries(changes).map(([change, names]) => [change, [...names].sort()])),
    )
    for (const change of report.changes) {
      const expected = amounts[`${change.from} ${change.to}`]
      if (expected) expect(change.amounts).toEqual(expected)
    }
    const changed = Object.values(changes).flat().length
    const { allow, deny, hold } = report.unchanged
    expect(report).toMatchObject({ rows: 9, compared: 8, left_out: { undecided: 1, unlisted: 0, key_unknown: 0 } })
    expect(allow + deny + hold + changed).toBe(8)
    expect((['newly-denied', 'newly-allowed', 'any'] as const).filter((kind) => failsOn(report, kind))).toEqual(fails)
  })

  it('the command reports by operation and by agent, and fails where it is told to', async () => {
    const cwd = folderOf(CASES['a rule for another role newly allows its calls']!.candidate)
    const { code, out, err } = await run(['policy', 'backtest', '--fail-on', 'newly-allowed'], { cwd, env })
    expect(out).toContain('newly allowed  1  11.00 USD would move, caps permitting')
    expect(out).toMatch(/ by operation\n {2}stripe create_charge {2}1 {2}11.00 USD\n/)
    expect(out).toMatch(
      new RegExp(` by agent\\n {2}support-2 {2}1 {2}11.00 USD\\n +${eventOf('a charge by the second line')}`),
    )
    expect(out).toContain('left out: 1 refused before policy was asked')
    expect(err).toContain('failed: 1 newly allowed (--fail-on newly-allowed)')
    expect(code).toBe(1)
  })

  it('the difference of two policies is told in their sources and in calls', async () => {
    const [before, after] = [folderOf(IN_FORCE), folderOf(policyOf(RULES.charges))]
    const { code, out } = await run(['policy', 'diff', before, after], { cwd: before, env })
    expect(out).toContain('--- before/tool_decision.rego')
    expect(out).toContain(`-${RULES.hold}`)
    expect(out).toContain('newly allowed, held before  1')
    expect(code).toBe(0)
  })

  it('a call on record is explained by the policy that decided it, whatever the folder says, with what was missing', async () => {
    const cwd = folderOf(policyOf('allow if true'))
    const { code, out, err } = await run(['policy', 'explain', eventOf('a charge over the limit')], { cwd, env })
    expect(out).toMatch(/tool_decision.rego:9: input.amount.value <= 5000 — was 9000/)
    expect(err).toContain('policy said deny, by revision sha256:')
    expect(err).not.toContain('in the folder')
    expect(code).toBe(0)
  })

  it('an explanation says where the policy in the folder decides otherwise than the one of the record', async () => {
    const cwd = folderOf(policyOf('allow if true'))
    const asked = ['policy', 'explain', eventOf('a charge over the limit'), '--dir', 'rego']
    const { out, err } = await run(asked, { cwd, env })
    expect(out).toContain("decided by the operator's allow rules")
    expect(err).toContain('the policy in the folder says allow: it is another one than decided then')
  })

  it.each([
    ['an-event', 'is not an event id'],
    ['01900000-0000-7000-8000-000000000000', 'has no decision with the event id'],
  ])('there is nothing to explain of %s', async (id, complaint) => {
    const { code, err } = await run(['policy', 'explain', id], { cwd: folderOf(IN_FORCE), env })
    expect(err).toContain(complaint)
    expect(code).toBe(1)
  })
})
