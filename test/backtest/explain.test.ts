/** What an explanation says, for each part of the composition that may decide. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { POLICY_LIBRARY_DIR } from '../../src/layout.ts'
import type { DecisionInput } from '../../src/model/decision.ts'
import {
  type Explanation,
  explainDecision,
  explanationText,
  isPolicyRefusal,
  readPolicy,
} from '../../src/policy/index.ts'
import { ruleHeads } from '../../src/policy/rule-heads.ts'

const POLICY = `package tool_decision

import future.keywords

deny contains "no transfers" if input.params.transfer_data

allow {
  input.operation == "create_refund"
  input.agent.role == "support-tier-1"
  input.params.amount <= 5000
}

allow if {
	input.group == "payments.refund"
	office_hours
	some budget in input.spend
	budget.spent < 10
}

allow if {
	input.group == "payments.refund"
	limit := limits[input.agent.id]
	input.amount.value <= limit
}

allow if input.operation in {"create_coupon", "delete_coupon"}

limits := {"nobody": 1}

office_hours if {
	now := time.parse_rfc3339_ns(input.time)
	[hour, _, _] := time.clock([now, "Europe/Berlin"])
	hour < 9
}

hold contains "a human looks at this" if input.occurrence > 1
`

const PROJECT = `project: project-billing
agents: [agent-1]
grants:
  - service: stripe
    actions: [charges:create]
    resources: ["*"]
  - service: stripe
    actions: ["refunds:*"]
    resources: [stripe.com/v1/somewhere]
  - service: git
    actions: [read]
`

const call: DecisionInput = {
  ...{ provider: 'stripe', operation: 'create_refund', group: 'payments.refund', effect: 'write', guarded: [] },
  ...{ action: 'stripe:refunds:create', resource: 'stripe.com/v1/refunds', method: 'POST', path: '/v1/refunds' },
  ...{ organisation: 'acme', occurrence: 1, key: { id: 'vk_1' }, time: '2026-01-01T12:00:00.000Z' },
  params: { charge: 'ch_1', amount: 9_000 },
  amount: { value: 9_000, currency: 'usd' },
  agent: { id: 'agent-1', role: 'support-tier-1' },
  spend: [
    ...[50, 70].map((spent) => ({
      ...{ budget: 'run', scope: 'run', window: 'run', cap: 100, spent, reserved: 0, currency: 'usd' },
    })),
  ],
}

interface Case {
  readonly input: DecisionInput
  readonly decides: Pick<Explanation, 'decision' | 'part'>
  readonly says: readonly RegExp[]
  readonly silentOn?: readonly RegExp[]
}

const CASES: Readonly<Record<string, Case>> = {
  'the key’s own limits decide before all else': {
    input: { ...call, key: { id: 'vk_1', limits: [{ param: 'amount', max: 10 }] }, occurrence: 2 },
    decides: { decision: 'deny', part: 'key' },
    says: [
      /^deny: The vault key limits the param amount to at most 10, and it is 9000\./,
      /2 the operator's deny rules +not asked any more/,
    ],
    silentOn: [/came closest/, /no allow rule/],
  },
  'a deny rule is named with its place': {
    input: { ...call, params: { ...call.params, amount: 1, transfer_data: { destination: 'acct_1' } } },
    decides: { decision: 'deny', part: 'deny' },
    says: [/^deny: no transfers/, /tool_decision\.rego:5: tool_decision\.deny/],
    silentOn: [/came closest/],
  },
  'one condition is missing, and its value is told': {
    input: call,
    decides: { decision: 'deny', part: 'defaults' },
    says: [
      /tool_decision\.rego:7: one condition was missing\n +\S+:10: input\.params\.amount <= 5000 — was 9000/,
      /\S+:15: office_hours\n +\S+:33: hour < 9 — was 13\n +\S+:17: budget\.spent < 10 — was 50, 70/,
      /1 allow rule speaks of other calls/,
    ],
  },
  'several conditions are missing, and each is told': {
    input: { ...call, agent: { id: 'agent-1', role: 'support-tier-2' } },
    decides: { decision: 'deny', part: 'defaults' },
    says: [
      /tool_decision\.rego:7: 2 conditions were missing\n +\S+:9: input\.agent\.role == "support-tier-1" — was "support-tier-2"\n +\S+:10: /,
    ],
  },
  'what is absent is called absent': {
    input: { ...call, agent: { id: 'agent-1' }, params: { charge: 'ch_1' } },
    decides: { decision: 'deny', part: 'defaults' },
    says: [/:9: input\.agent\.role.* — was absent/, /:10: input\.params\.amount.* — was absent/],
  },
  'a rule whose later conditions build on what is missing says that there may be more': {
    input: call,
    decides: { decision: 'deny', part: 'defaults' },
    says: [
      /tool_decision\.rego:20: one condition was missing; those below build on it\n +\S+:22: .*limits\[input\.agent\.id\]/,
    ],
  },
  'a call that no rule speaks of': {
    input: { ...call, operation: 'create_payout', group: 'payouts.create', action: 'stripe:payouts:create' },
    decides: { decision: 'deny', part: 'defaults' },
    says: [/no allow rule speaks of this operation or its group \(4 allow rules speak of other calls\)/],
  },
  'an allow rule is named with its place': {
    input: { ...call, params: { charge: 'ch_1', amount: 100 } },
    decides: { decision: 'allow', part: 'allow' },
    says: [/^allow: /, /tool_decision\.rego:7: tool_decision\.allow/],
  },
  'a read is allowed by the defaults': {
    input: { ...call, operation: 'list_refunds', group: 'read', effect: 'read', params: {} },
    decides: { decision: 'allow', part: 'defaults' },
    says: [
      /^allow: The group read allows every read\./,
      /4 the defaults of the operation groups +allow it {2}<- this one/,
    ],
  },
  'a hold rule turns what is allowed into a wait': {
    input: { ...call, params: { charge: 'ch_1', amount: 100 }, occurrence: 2 },
    decides: { decision: 'hold', part: 'hold' },
    says: [/^hold: a human looks at this/, /tool_decision\.rego:36: tool_decision\.hold/],
  },
  'a project’s grants are told with what each lacks': {
    input: { ...call, project: 'project-billing' },
    decides: { decision: 'deny', part: 'project' },
    says: [
      /Grant 1 \(stripe\): its actions \(charges:create\) do not cover stripe:refunds:create\n/,
      /Grant 2 \(stripe\): its resources \(stripe\.com\/v1\/somewhere\) do not cover stripe\.com\/v1\/refunds$/m,
      /5 the operator's allow rules +do not count: the project has a policy/,
    ],
    silentOn: [/git/],
  },
  'an agent that the project does not list is told so': {
    input: { ...call, project: 'project-billing', agent: { id: 'stranger' } },
    decides: { decision: 'deny', part: 'project' },
    says: [/^deny: The policy of project project-billing does not list agent stranger\./],
  },
}

// Each asks OPA several times, in processes of their own.
describe('an explanation', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-explain-'))
  mkdirSync(join(folder, 'policies'))
  writeFileSync(join(folder, 'tool_decision.rego'), POLICY)
  writeFileSync(join(folder, 'policies/billing.yaml'), PROJECT)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const sources = readPolicy({
    policyDir: folder,
    projectsDir: join(folder, 'policies'),
    libraryDir: POLICY_LIBRARY_DIR,
  })

  it.each(Object.entries(CASES))('%s', async (_, { input, decides, says, silentOn = [] }) => {
    const read = await sources
    if (isPolicyRefusal(read)) throw new Error(JSON.stringify(read))
    const explanation = await explainDecision(read, input)
    if (isPolicyRefusal(explanation)) throw new Error(JSON.stringify(explanation))
    expect(explanation).toMatchObject(decides)
    const text = explanationText(explanation)
    for (const words of says) expect(text).toMatch(words)
    for (const words of silentOn) expect(text).not.toMatch(words)
    expect(explanation.trace).toContain('Enter data.countersign.decision')
  })

  it('a policy that gives no decision is refused in words', async () => {
    const read = await sources
    if (isPolicyRefusal(read)) throw new Error(JSON.stringify(read))
    const [first] = read.modules
    const broken = await explainDecision(
      { ...read, modules: [{ path: first!.path, source: 'package tool_decision' }] },
      call,
    )
    expect(broken).toMatchObject({ refused: true, problems: [{ message: expect.stringContaining('no decision') }] })
  })
})

describe('rules begin', () => {
  it.each([
    ['where a line starts with a name', 'package p\n\nallow if true\ndefault deny := false\n', ['allow 3', 'deny 4']],
    [
      'outside of bodies',
      'allow if {\n  other\n  x == "}"\n}\nother if 1 == 1 # {\nlast := 1',
      ['allow 1', 'other 5', 'last 6'],
    ],
    ['outside of raw text', 'text := `\nallow\n`\nallow if true', ['text 1', 'allow 4']],
    ['where no else goes on with one', 'role := "a" if {\n  true\n} else := "b"\nnext := 1', ['role 1', 'next 4']],
  ])('%s', (_, source, heads) => {
    expect(ruleHeads(source).map(({ name, row }) => `${name} ${row}`)).toEqual(heads)
  })
})
