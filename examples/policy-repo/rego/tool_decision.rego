# METADATA
# title: What our agents may do
# description: |
#   Without a rule here, reads are allowed and writes are denied. Then:
#     deny   wins over everything but the vault key's own limits
#     allow  opts in to what the defaults deny
#     hold   makes an allowed call wait for a human who sees its exact arguments
#   What input holds is in node_modules/countersign/schemas/decision-input.json; amounts are in minor units (500 is
#   5.00 USD).
package tool_decision

import rego.v1

# Small refunds by first-line support. The cap is on the amount that would really move, in its own currency.
allow contains "a small refund by support" if {
	input.operation == "create_refund"
	input.agent.role == "support-tier-1"
	input.amount.currency == "usd"
	input.amount.value <= 5000
}

# A whole group of operations, for one agent.
allow contains "subscriptions are its job" if {
	input.group == "subscriptions.write"
	input.agent.id == "billing-reconciler-1"
}

# The last tenth of every budget is for humans.
deny contains $"the budget {budget.budget} is nearly used up" if {
	input.effect == "write"
	some budget in input.spend
	(budget.spent + budget.reserved) * 10 > budget.cap * 9
}

# Params that send money to another account (transfer_data, on_behalf_of, a charge's destination) are denied in every call
# until a rule here names them. This allows the param alone; the call needs an allow rule beside it.
allow_guarded contains "on_behalf_of" if input.agent.role == "marketplace"

# A human looks at every wanted repeat of a call, and at refunds beyond 20.00 USD.
hold contains "the same call again" if input.occurrence > 1

hold contains "a refund beyond 20.00 USD" if {
	input.group == "payments.refund"
	input.amount.value > 2000
}
