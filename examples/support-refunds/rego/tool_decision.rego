# Who in support may refund how much at once. Reads are allowed by default, and every other write is denied.
package tool_decision

import future.keywords

# Minor units: 5000 is 50.00 in USD and EUR.
refund_cap := {
	"support-tier-1": 5000,
	"support-tier-2": 20000,
}

# input.amount is what would really move: a refund that names no amount gives back all that is left.
allow if {
	input.operation == "create_refund"
	input.amount.currency in {"usd", "eur"}
	input.amount.value <= refund_cap[input.agent.role]
}

# A refund goes back to the customer of the charge, and never through another account.
deny contains $"refunds take no param {name}" if {
	input.operation == "create_refund"
	some name in ["refund_application_fee", "reverse_transfer", "instructions_email"]
	_ = input.params[name]
}
