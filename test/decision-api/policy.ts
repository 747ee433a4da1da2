/** One policy for the tests of both doors: refunds by support up to 50.00 USD, large ones held, nothing late in a budget. */
export const POLICY = {
  'tool_decision.rego': `package tool_decision

import rego.v1

allow if {
	input.operation == "create_refund"
	input.agent.role == "support"
	input.amount.currency == "usd"
}

allow if {
	input.provider == "git"
	input.operation == "push"
	startswith(input.params.branch, "feature/")
	input.resource == "acme/ledger"
}

hold contains "a large sum" if input.amount.value > 5000

deny contains "the budget is nearly used up" if {
	some budget in input.spend
	budget.cap < 100
}
`,
}

/** A refund of 5.00 USD, in the words of the decision's input. */
export const REFUND = {
  provider: 'stripe',
  operation: 'create_refund',
  params: { charge: 'ch_1', amount: 500 },
  amount: { value: 500, currency: 'USD' },
}
