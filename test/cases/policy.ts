/** The policy that the cases are judged by: the refund rule as operators write it, and one rule for each role of the table. */
export const POLICY = {
  'tool_decision.rego': `package tool_decision

allow {
  input.provider == "stripe"
  input.operation == "create_refund"
  input.agent.role == "support-tier-1"
  input.params.amount <= 5000
}
`,
  'roles.rego': `package tool_decision

import rego.v1

# Judges what would really move, and for whom.
allow if {
	input.agent.role == "judged-by-what-moves"
	input.operation == "create_refund"
	input.amount.value <= 5000
	input.amount.currency == "usd"
	input.customer == "cus_123"
}

allow if input.agent.role == "cashier"

deny contains "no twins here" if {
	input.agent.role == "once-only"
	input.occurrence > 1
}

allow if input.agent.role == "once-only"

hold contains "a human looks at this" if input.agent.role == "watched"

allow if input.agent.role == "watched"
`,
} as const

/** countersign.yaml of the cases. There is no rate for gbp. */
export const CONFIG = {
  rates: { 'eur/usd': 1.25, 'jpy/usd': 0.01 },
  recovery: { every: '200ms' },
  repeat: { groups: { 'customers.write': { mode: 'off' } } },
  budgets: [{ scope: 'project', window: 'month', cap: 3000, currency: 'usd', subject: 'small-project' }],
} as const
