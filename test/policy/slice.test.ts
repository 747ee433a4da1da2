/** What a call brings along of its project's policy never changes an answer: OPA's own evaluator, which has the whole, agrees. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DecisionInput } from '../../src/model/decision.ts'
import { folders, opaDecisions, refund, storeOf } from './folders.ts'

const PROJECTS = 60
const CALLS = 3_000
const SEED = 20261121

const names = fc.constantFrom(
  ...[
    'create_refund',
    'refunds:create',
    'stripe:refunds:create',
    'payments.refund',
    'read',
    'constructor',
    '__proto__',
  ],
)
const namePatterns = fc.constantFrom('*', 'refunds:*', '*:create', 'stripe:*:create', '*e*e*', 'pay*', '__*', '*.*')
const resources = fc.constantFrom('stripe.com/v1/refunds', 'stripe.com/v1/charges', 'a', '__proto__', '')
const resourcePatterns = fc.constantFrom(
  '*',
  'stripe.com/*',
  '*/refunds',
  'stripe.com/*/refunds',
  's*v1*',
  '__*',
  'a*a',
)
const texts = fc.constantFrom('rm -rf', 'main', 'feature/x', 'payments.refund', 'stripe.com/v1/charges')

const few = <T>(value: fc.Arbitrary<T>) => fc.uniqueArray(value, { minLength: 1, maxLength: 3 })
const mostly = (plain: fc.Arbitrary<string>, pattern: fc.Arbitrary<string>) =>
  few(fc.oneof({ weight: 3, arbitrary: plain.filter((text) => text !== '') }, { weight: 1, arbitrary: pattern }))

const grant = fc.record(
  {
    service: fc.constantFrom('stripe', 'stripe', 'git', '__proto__'),
    actions: mostly(names, namePatterns),
    resources: mostly(resources, resourcePatterns),
    branches: few(fc.constantFrom('main', 'feature/*')),
    deny: few(fc.oneof(texts, fc.constantFrom('*charges', 'rm*', 'refunds:*'))),
    expires: fc.constantFrom('2026-01-01T00:00:00Z', '2026-06-01T02:00:00+02:00', '2027-01-01T00:00:00Z'),
    grant_id: fc.constantFrom('g1', 'g2', 'g3'),
  },
  { requiredKeys: ['service', 'actions'] },
)
const policies = fc.sample(
  fc.record({
    agents: few(fc.constantFrom('a1', 'a2', '__proto__')),
    grants: fc.array(grant, { minLength: 1, maxLength: 12 }),
  }),
  { numRuns: PROJECTS, seed: SEED },
)
const calls: readonly DecisionInput[] = fc.sample(
  fc
    .record({
      project: fc.nat({ max: PROJECTS }).map((at) => `p${at}`),
      agent: fc.constantFrom({ id: 'a1' }, { id: 'a1' }, { id: 'a3' }, JSON.parse('{"id":"__proto__"}')),
      provider: fc.constantFrom('stripe', 'stripe', 'git', '__proto__', 'constructor'),
      action: names,
      operation: names,
      group: names,
      resource: resources,
      params: fc.record({ branch: texts, command: texts }, { requiredKeys: [] }),
      time: fc.constantFrom('2025-12-31T23:59:59.999Z', '2026-06-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z'),
    })
    .map((changes) => ({ ...refund, ...changes })),
  { numRuns: CALLS, seed: SEED },
)

test('random policies: the part that a call brings along decides as the whole does', { timeout: 180_000 }, async () => {
  const at = await folders({
    'rego/tool_decision.rego': 'package tool_decision\n',
    ...Object.fromEntries(
      policies.map((policy, index) => [
        `policies/${index}.yaml`,
        `project: p${index}\nagents: ${JSON.stringify(policy.agents)}\ngrants:\n${policy.grants
          .map((each) => `  - ${JSON.stringify(each)}\n`)
          .join('')}`,
      ]),
    ),
  })
  const policy = (await storeOf(at)).current()
  const whole = await opaDecisions(at, calls)
  const ours = calls.map((input) => {
    const { policy_revision: _, ...answer } = policy.decide(input)
    return { input, answer }
  })
  expect(ours).toEqual(calls.map((input, index) => ({ input, answer: whole[index] })))
  const codes = new Set(ours.flatMap(({ answer }) => answer.reasons.map(({ code }) => code)))
  expect([...codes].sort()).toEqual([
    'agent_not_listed',
    'branch_not_granted',
    'grant_denies',
    'grant_expired',
    'granted',
    'no_grant_covers',
    'no_rule_allows',
  ])
})

test('what a caller says of the policy counts for nothing', async () => {
  const at = await folders({
    'rego/tool_decision.rego': 'package tool_decision\n',
    'policies/p.yaml': 'project: p\nagents: [billing-1]\ngrants:\n  - service: stripe\n    actions: [read]\n',
  })
  const policy = (await storeOf(at)).current()
  const all = { any: true }
  const lookup = { '*': { '*': [0] } }
  const project_policy = {
    agents: { 'billing-1': true },
    grants: [{ name: 'All', actions: [all], resources: [all] }],
    services: { stripe: { lookup, patterns: {} } },
  }
  for (const project of ['p', 'another', undefined]) {
    const call = { ...refund, ...(project && { project }) }
    const claiming = policy.decide({ ...call, project_policy } as DecisionInput)
    expect(claiming).toEqual(policy.decide(call))
    expect(claiming.decision).toBe('deny')
  }
})
