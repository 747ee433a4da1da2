/**
 * Random policies, not only random calls: rules whose conditions are data, so that a hundred policies cost one compilation.
 * Whatever the rules say, both evaluators agree; a deny rule or a hold rule never allows more; a vault key never widens.
 */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { known } from '../../src/cli/policy-catalogue.ts'
import type { DecisionInput, Policy } from '../../src/model/decision.ts'
import { evaluateRego, isPolicyRefusal, type OpenPolicy, openPolicy, wholeCall } from '../../src/policy/index.ts'
import { LIBRARY_DIR } from '../policy/folders.ts'
import { holding } from './folder.ts'

const RULES = `package tool_decision

import rego.v1

meets(rule) if {
	every field, value in rule.when {
		object.get(input, split(field, "."), null) == value
	}
}

deny contains rule.name if {
	some rule in data.rules.deny
	meets(rule)
}

allow contains rule.name if {
	some rule in data.rules.allow
	meets(rule)
}

hold contains rule.name if {
	some rule in data.rules.hold
	meets(rule)
}
`
const PROJECT = `project: governed
agents: [agent-1]
grants:
  - { service: stripe, actions: ["refunds:*", "charges:read"], deny: [cus_2], grant_id: gr_1 }
  - { service: stripe, actions: ["*"], expires: "2026-01-01T12:00:00Z" }
`

const SEED = 20261121
const one = <T>(...values: T[]) => fc.constantFrom(...values)
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

const FIELDS = {
  operation: one('create_refund', 'list_customers', 'create_charge', 'create_account', 'create_subscription'),
  'agent.role': one('support', 'onboarding'),
  customer: one('cus_1', 'cus_2'),
  project: one('governed', 'other'),
  occurrence: one(1, 2),
}
const rule = fc.record({ name: fc.string({ maxLength: 8 }), when: fc.record(FIELDS, { requiredKeys: [] }) })
const list = fc.array(rule, { maxLength: 3 })
const policies = fc.record({ deny: list, allow: list, hold: list })
type Rules = { readonly [Kind in 'deny' | 'allow' | 'hold']: readonly object[] }

const keys = fc.record(
  {
    id: fc.constant('vk_1'),
    providers: fc.subarray(['stripe', 'twilio']),
    operations: fc.subarray(['read', 'payments.refund', 'create_charge']),
    endpoints: fc.subarray(['POST /v1/refunds', 'GET /v1/customers']),
    customers: fc.subarray(['cus_1', 'cus_2']),
    limits: fc.array(fc.record({ param: one('amount', 'memo'), max: fc.nat(9_000) }), { maxLength: 2 }),
  },
  { requiredKeys: ['id'] },
)
const calls = fc
  .record({
    provider: fc.constant('stripe'),
    operation: FIELDS.operation,
    agent: fc.record({ id: one('agent-1', 'agent-2'), role: maybe(FIELDS['agent.role']) }),
    customer: maybe(FIELDS.customer),
    project: maybe(FIELDS.project),
    occurrence: FIELDS.occurrence,
    params: fc.record({ amount: fc.nat(9_000), memo: fc.string({ maxLength: 6 }) }, { requiredKeys: [] }),
    time: one('2026-01-01T11:59:59.999Z', '2026-01-01T12:00:00.000Z'),
    key: keys,
  })
  .map((fields) => JSON.parse(JSON.stringify(wholeCall(fields, known))) as DecisionInput)

const RANK = { allow: 2, hold: 1, deny: 0 } as const
let opened: OpenPolicy

beforeAll(async () => {
  const root = holding({ 'rego/tool_decision.rego': RULES, 'policies/governed.yaml': PROJECT })
  const policy = await openPolicy({
    policyDir: `${root}/rego`,
    projectsDir: `${root}/policies`,
    libraryDir: LIBRARY_DIR,
  })
  if (isPolicyRefusal(policy)) throw new Error(JSON.stringify(policy.problems))
  opened = policy
})

const under = (rules: Rules): Policy => opened.instance({ ...opened.world, data: { ...opened.world.data, rules } })
const rank = (policy: Policy, call: DecisionInput): number => RANK[policy.decide(call).decision]

test('a hundred policies, 10,000 calls: the compiled policy and OPA’s own evaluator agree on each', {
  timeout: 120_000,
}, async () => {
  const asked = fc.sample(policies, { numRuns: 100, seed: SEED }).map((rules, index) => ({
    rules,
    calls: fc.sample(calls, { numRuns: 100, seed: SEED + index }),
  }))
  const ours = asked.flatMap(({ rules, calls: some }) => {
    const policy = under(rules)
    return some.map((call) => {
      const { policy_revision: _, ...answer } = policy.decide(call)
      return answer
    })
  })
  const data = { ...opened.world.data, projects: Object.fromEntries(opened.world.projects) }
  const query = 'data.countersign.decision with input as input.call with data.rules as input.rules'
  const inputs = asked.flatMap(({ rules, calls: some }) => some.map((call) => ({ rules, call })))
  const opa = await evaluateRego(opened.sources.modules, data, query, inputs)
  if (!opa.ok) throw new Error(JSON.stringify(opa.errors))
  expect(inputs).toHaveLength(10_000)
  expect(new Set(ours.map(({ decision }) => decision))).toEqual(new Set(['allow', 'deny', 'hold']))
  expect(ours).toEqual(opa.value.map(({ value }) => value))
})

test.each(['deny', 'hold'] as const)('one more %s rule, whatever it says, never allows more', (kind) => {
  fc.assert(
    fc.property(policies, rule, fc.array(calls, { minLength: 20, maxLength: 20 }), (rules, more, some) => {
      const [before, after] = [under(rules), under({ ...rules, [kind]: [...rules[kind], more] })]
      return some.every((call) => rank(after, call) <= rank(before, call))
    }),
    { numRuns: 100, seed: SEED },
  )
})

test('a vault key never widens, and one more list or limit on it never does either', () => {
  fc.assert(
    fc.property(policies, keys, fc.array(calls, { minLength: 20, maxLength: 20 }), (rules, more, some) => {
      const policy = under(rules)
      return some.every((call) => {
        const { limits = [], ...lists } = more
        const narrower = { ...lists, ...call.key, limits: [...limits, ...(call.key.limits ?? [])] }
        const [bare, own, narrow] = [{ id: 'vk_1' }, call.key, narrower].map((key) => rank(policy, { ...call, key }))
        return own! <= bare! && narrow! <= own!
      })
    }),
    { numRuns: 100, seed: SEED },
  )
})
