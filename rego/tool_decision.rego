# METADATA
# title: Your rules
# description: |
#   This file is yours. The gateway reloads it when you save it; a file that does not compile changes nothing.
#
#   Without a rule here, reads are allowed and writes are denied (connect.onboard is open to agents with the role
#   "onboarding"). Projects with a policy file of their own go by that file. Then:
#     deny   wins over everything but the vault key's own limits
#     allow  opts in to what the defaults deny
#     hold   makes an allowed call wait for a human who sees its exact arguments
#
#   A rule is a plain condition (`allow if { … }`, or `allow { … }` as in older Rego) or gives its reason
#   (`deny contains "why" if { … }`); all rules of one name take the same form. `countersign policy build` checks this
#   file, `countersign call` tries it.
#
#   What input holds is in schemas/decision-input.json. The two that are easy to confuse:
#     input.params.amount   what the agent sent; absent where it sent none (a refund of all that remains)
#     input.amount          what would really move: {value, currency}, value in minor units (500 is 5.00 USD)
package tool_decision

import future.keywords

# ---- deny: in force --------------------------------------------------------------------------------------------------

# Money must not be routed to another account by a param of an otherwise allowed call.
deny contains $"the param {name} routes money to another account" if {
	input.effect == "write"
	some name in ["transfer_data", "on_behalf_of"]
	_ = input.params[name]
	not may_route_money
}

# Who may, if your agents work with Stripe Connect: put your condition in place of `false`.
may_route_money if false

# ---- allow: take the # away from what you want -----------------------------------------------------------------------
#
# Small refunds by first-line support. The cap is on the amount that would really move, in its own currency.
#
# allow if {
# 	input.operation == "create_refund"
# 	input.agent.role == "support-tier-1"
# 	input.amount.currency == "usd"
# 	input.amount.value <= 5000
# }
#
# A whole group of operations, for one agent.
#
# allow if {
# 	input.group == "subscriptions.write"
# 	input.agent.id == "billing-reconciler-1"
# }
#
# One customer only.
#
# allow if {
# 	input.group == "payments.create"
# 	input.customer == "cus_123"
# }
#
# Only while somebody is at their desk: Monday to Friday, 9 to 17 h in Berlin.
#
# office_hours if {
# 	now := time.parse_rfc3339_ns(input.time)
# 	not time.weekday([now, "Europe/Berlin"]) in {"Saturday", "Sunday"}
# 	[hour, _, _] := time.clock([now, "Europe/Berlin"])
# 	hour >= 9
# 	hour < 17
# }
#
# ---- more deny -------------------------------------------------------------------------------------------------------
#
# Leave the last tenth of every budget to humans.
#
# deny contains $"the budget {budget.budget} is nearly used up" if {
# 	some budget in input.spend
# 	(budget.spent + budget.reserved) * 10 > budget.cap * 9
# }
#
# ---- hold ------------------------------------------------------------------------------------------------------------
#
# A human looks at every large sum, and at every wanted repeat of a call.
#
# hold contains "a large sum" if input.amount.value > 100000
#
# hold contains "the same call again" if input.occurrence > 1
