/** The three forms of a name mean one thing in a grant; a name that the catalogue does not have is told with what was meant. */
import { describe, expect, test } from 'vitest'
import { loadCatalogue, serviceNames } from '../../src/catalogue/index.ts'
import { PROVIDERS_DIR } from '../../src/layout.ts'
import type { DecisionInput } from '../../src/model/decision.ts'
import type { Operation } from '../../src/model/operation.ts'
import { explainPolicyRefusal, isPolicyRefusal, openPolicy, parseProjectPolicy } from '../../src/policy/index.ts'
import { folders, REFUND_RULE, refund } from './folders.ts'

const catalogue = loadCatalogue(PROVIDERS_DIR)
const names = serviceNames(catalogue)

const granting = (lines: string) => `project: billing\nagents: [billing-1]\ngrants:\n  - service: stripe\n${lines}`

const callOf = ({ name, group, effect, action, resource, method, path }: Operation): DecisionInput => ({
  ...refund,
  ...{ operation: name, group, effect, action, resource, method, path, project: 'billing' },
})

const CHARGES = ['list_charges', 'retrieve_charge', 'search_charges']

/** Each grant, and all that it covers. */
const GRANTS = [
  { name: 'an action within its service', actions: ['charges:read'], covers: CHARGES },
  { name: 'an action in full', actions: ['stripe:charges:read'], covers: CHARGES },
  { name: 'an operation', actions: ['retrieve_charge'], covers: ['retrieve_charge'] },
  { name: 'an alias of an operation', actions: ['update_issuing_card'], covers: ['update_card'] },
  {
    name: 'a pattern of operations',
    actions: ['cancel_*_intent'],
    covers: ['cancel_payment_intent', 'cancel_setup_intent'],
  },
  {
    name: 'a group',
    actions: ['subscriptions.write'],
    covers: catalogue
      .operations('stripe')
      .filter(({ group }) => group === 'subscriptions.write')
      .map(({ name }) => name),
  },
  {
    name: 'a resource',
    actions: ['*'],
    resources: ['stripe.com/v1/balance'],
    covers: catalogue
      .operations('stripe')
      .filter(({ resource }) => resource === 'stripe.com/v1/balance')
      .map(({ name }) => name),
  },
] as const satisfies readonly { name: string; actions: string[]; resources?: string[]; covers: string[] }[]

describe('a grant names', () => {
  test.each(GRANTS)('$name', async ({ actions, covers, ...rest }) => {
    const resources = 'resources' in rest ? `    resources: ${JSON.stringify(rest.resources)}\n` : ''
    const grants = granting(`    actions: ${JSON.stringify(actions)}\n${resources}`)
    const at = await folders({ 'rego/tool_decision.rego': REFUND_RULE, 'policies/billing.yaml': grants })
    const policy = await openPolicy({ ...at, names })
    if (isPolicyRefusal(policy)) throw new Error(explainPolicyRefusal(policy))
    const store = policy.instance()
    const allowed = catalogue
      .operations('stripe')
      .filter((operation) => store.decide(callOf(operation)).decision === 'allow')
    expect(allowed.map(({ name }) => name).sort()).toEqual([...covers].sort())
  })
})

const WRONG = [
  { name: 'an action that is misspelt', lines: '    actions: [refund:create]\n', col: 15, meant: 'refunds:create' },
  { name: 'an operation that is misspelt', lines: '    actions: [create_refnd]\n', col: 15, meant: 'create_refund' },
  { name: 'a group that is misspelt', lines: '    actions: [payment.refund]\n', col: 15, meant: 'payments.refund' },
  { name: 'a pattern that matches nothing', lines: '    actions: ["refunded:*"]\n', col: 15, meant: 'names-stripe.md' },
  {
    name: 'a resource that is misspelt',
    lines: '    actions: [read]\n    resources: [stripe.com/v1/refund]\n',
    row: 6,
    col: 17,
    meant: 'stripe.com/v1/refunds',
  },
  {
    name: 'a resource without its host',
    lines: '    actions: [read]\n    resources: [/v1/refunds]\n',
    row: 6,
    col: 17,
    meant: 'stripe.com/v1/refunds',
  },
]

describe('what a provider does not have is told with its place and what was meant', () => {
  test.each(WRONG)('$name', ({ lines, row = 5, col, meant }) => {
    const parsed = parseProjectPolicy(granting(lines), 'policies/billing.yaml', { names })
    if (parsed.ok) throw new Error('it loaded')
    expect(parsed.problems).toHaveLength(1)
    expect(parsed.problems[0]).toMatchObject({ file: 'policies/billing.yaml', row, col })
    expect(parsed.problems[0]!.fix).toContain(meant)
  })

  test('it refuses the policy that it is in', async () => {
    const at = await folders({
      'rego/tool_decision.rego': REFUND_RULE,
      'policies/billing.yaml': granting('    actions: [create_refnd]\n'),
    })
    const refused = await openPolicy({ ...at, names })
    expect(isPolicyRefusal(refused) && explainPolicyRefusal(refused)).toMatch(
      /billing\.yaml:5:15[\s\S]*no such action, operation or group[\s\S]*create_refund/,
    )
  })
})

test('a service that is nearly a provider is a warning, for its names are free', () => {
  const source = granting('    actions: [whatever]\n').replace('stripe', 'strype')
  expect(parseProjectPolicy(source, 'p.yaml', { names })).toMatchObject({
    ok: true,
    warnings: [{ code: 'unlisted_service', row: 4, col: 14, fix: 'Write stripe, if that is what you mean.' }],
  })
})

test('every operation is found by each of its names', () => {
  const own = names.of('stripe')!
  for (const { name, aliases, action, group, resource } of catalogue.operations('stripe')) {
    for (const each of [name, action, action.slice('stripe:'.length), group])
      expect(own.actions.has(each), each).toBe(true)
    expect(own.resources.has(resource), resource).toBe(true)
    for (const alias of aliases) expect(own.canonical(alias)).toBe(name)
  }
})
