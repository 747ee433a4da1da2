/** What must hold whatever is asked: both evaluators agree, a deny rule never allows more, a vault key never widens. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DecisionInput } from '../../src/model/decision.ts'
import { folders, opaDecisions, storeOf } from './folders.ts'

const RULES = `package tool_decision

allow { input.operation == "create_refund"; input.amount.value <= 5000 }
allow if { input.group == "subscriptions.write"; input.agent.role in {"support", "billing"} }
allow_guarded contains "transfer_data" if input.agent.role == "billing"
obligations contains {"tags": {"team": "billing"}, "redact": ["memo"]} if input.amount.value > 2000
obligations contains {"tags": {"size": "large", "team": "all"}, "repeat_window_s": 60} if input.amount.value > 4000
hold contains "large" if input.amount.value > 1000
`
const DENY = `
deny contains "frozen" if input.customer == "cus_2"
deny contains $"too often: {input.occurrence}" if input.occurrence > 2
`
const PROJECT = `project: p
agents: [a1, a2]
grants:
  - service: stripe
    actions: [create_refund, "charges:*"]
    expires: 2026-06-01T00:00:00Z
    grant_id: g1
  - service: stripe
    actions: ["*:read"]
    resources: ["stripe.com/*"]
    deny: [cus_2, "a b"]
`

const one = <T>(...values: T[]) => fc.constantFrom(...values)
const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const list = (...values: string[]) => some(fc.subarray(values))
const text = fc.oneof(
  one('cus_1', 'cus_2', 'a  b', 'usd', '', 'é\u0000"\\'),
  fc.string({ unit: 'binary', maxLength: 12 }),
)

const operations = one(
  { operation: 'create_refund', group: 'payments.refund', effect: 'write', action: 'stripe:refunds:create' },
  { operation: 'retrieve_charge', group: 'read', effect: 'read', action: 'stripe:charges:read' },
  {
    operation: 'create_subscription',
    group: 'subscriptions.write',
    effect: 'write',
    action: 'stripe:subscriptions:create',
  },
  { operation: 'create_account', group: 'connect.onboard', effect: 'write', action: 'stripe:accounts:create' },
  { operation: 'create_card', group: 'issuing.create', effect: 'write', action: 'stripe:cards:create' },
)
const limit = fc.record(
  {
    param: one('amount', 'currency', 'card.brand', 'x'),
    max: fc.integer({ min: 0, max: 9000 }),
    min: one(0, 1),
    in: fc.array(text, { maxLength: 2 }),
  },
  { requiredKeys: ['param'] },
)
const key = fc.record({
  id: fc.constant('vk_1'),
  providers: list('stripe', 'twilio'),
  operations: list('read', 'payments.refund', 'create_subscription'),
  endpoints: list('POST /v1/x', 'GET /v1/x'),
  customers: list('cus_1', 'cus_2'),
  limits: some(fc.array(limit, { maxLength: 2 })),
})
const inputs: fc.Arbitrary<DecisionInput> = fc
  .record({
    named: operations,
    method: one('GET', 'POST'),
    params: fc.dictionary(
      one('amount', 'currency', 'card', 'memo', '__proto__', 'x'),
      fc.oneof(
        fc.integer({ min: -1, max: 9000 }),
        text,
        fc.constant(null),
        fc.array(text, { maxLength: 3 }),
        fc.constant({ brand: 'visa' }),
      ),
    ),
    guarded: fc.subarray(['transfer_data', 'a.on_behalf_of']),
    amount: some(fc.record({ value: fc.integer({ min: 0, max: 9000 }), currency: one('usd', 'jpy') })),
    customer: some(one('cus_1', 'cus_2')),
    agent: fc.record({ id: one('a1', 'a3'), role: some(one('support', 'onboarding')) }),
    project: some(one('p', 'q', '__proto__', 'constructor')),
    occurrence: fc.integer({ min: 1, max: 4 }),
    key,
    time: one('2026-05-31T23:59:59.999Z', '2026-06-01T00:00:00Z', '2027-01-01T00:00:00.000Z'),
  })
  .map(
    ({ named, ...rest }) =>
      JSON.parse(
        JSON.stringify({
          ...named,
          ...rest,
          provider: 'stripe',
          resource: 'stripe.com/v1/x',
          path: '/v1/x',
          organisation: 'o',
          spend: [],
        }),
      ) as DecisionInput,
  )

const store = async (rules: string) => {
  const at = await folders({ 'rego/tool_decision.rego': rules, 'policies/p.yaml': PROJECT })
  return { at, policy: (await storeOf(at)).current() }
}
const RANK = { allow: 2, hold: 1, deny: 0 } as const

// A hundred random policies of 100 calls each are asked as well: test/policy-cli/property.test.ts.
test('2,000 calls: the compiled policy and OPA’s own evaluator agree on each', { timeout: 400_000 }, async () => {
  const { at, policy } = await store(RULES + DENY)
  const calls = fc.sample(inputs, { numRuns: 2_000, seed: 20261121 })
  const decided = await opaDecisions(at, calls)
  const different = calls.flatMap((input, index) => {
    const { policy_revision: _, ...ours } = policy.decide(input)
    const theirs = decided[index]
    return same(ours, theirs) ? [] : [{ input, ours, theirs }]
  })
  expect(different.slice(0, 3)).toEqual([])
  const verdicts = new Set(calls.map((input) => policy.decide(input).decision))
  expect([...verdicts].sort()).toEqual(['allow', 'deny', 'hold'])
})

test('a deny rule never allows more', async () => {
  const [without, withDeny] = [(await store(RULES)).policy, (await store(RULES + DENY)).policy]
  fc.assert(
    fc.property(inputs, (input) => RANK[withDeny.decide(input).decision] <= RANK[without.decide(input).decision]),
    { numRuns: 5_000, seed: 20261121 },
  )
})

test('a vault key never widens', async () => {
  const { policy } = await store(RULES)
  fc.assert(
    fc.property(inputs, (input) => {
      const free = policy.decide({ ...input, key: { id: input.key.id } })
      return RANK[policy.decide(input).decision] <= RANK[free.decision]
    }),
    { numRuns: 5_000, seed: 20261121 },
  )
})

const same = (a: unknown, b: unknown): boolean => sorted(a) === sorted(b)

const sorted = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : 1)))
      : inner,
  )
