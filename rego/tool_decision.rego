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
#   More rules to copy, each with cases: docs/policy/cookbook.md.
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

# ---- allow: take the # away from what you want, and put your own names in ---------------------------------------------
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
# One customer only, and only while somebody is at their desk: Monday to Friday, 9 to 17 h in Berlin.
#
# allow if {
# 	input.group == "payments.create"
# 	input.customer == "cus_123"
# 	office_hours
# }
#
# office_hours if {
# 	now := time.parse_rfc3339_ns(input.time)
# 	not time.weekday([now, "Europe/Berlin"]) in {"Saturday", "Sunday"}
# 	[hour, _, _] := time.clock([now, "Europe/Berlin"])
# 	hour >= 9
# 	hour < 17
# }
#
# ---- allow_guarded ---------------------------------------------------------------------------------------------------
#
# Params that send money to another account (transfer_data, on_behalf_of, a charge's destination) are denied whatever the
# allow rules say, until a rule here names them. This one needs an allow rule for the call beside it.
#
# allow_guarded contains "transfer_data" if input.agent.role == "marketplace"
#
# ---- deny ------------------------------------------------------------------------------------------------------------
#
# Leave the last tenth of every budget to humans.
#
# deny contains $"the budget {budget.budget} is nearly used up" if {
# 	input.effect == "write"
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
#
# ---- obligations -----------------------------------------------------------------------------------------------------
#
# What the gateway owes with a decision: fields to redact, a shorter replay window, one more budget, tags on the audit row.
#
# obligations contains {"tags": {"team": "billing"}} if input.agent.id == "billing-reconciler-1"
