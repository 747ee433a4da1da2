package decision_test

import data.call_test.changed
import data.call_test.codes
import data.call_test.refund
import data.countersign.decision
import rego.v1

read := changed({"operation": "list_customers", "group": "read", "effect": "read"})

test_reads_pass_and_writes_do_not if {
	allowed := decision with input as read
	allowed.decision == "allow"
	denied := decision with input as refund
	denied.decision == "deny"
	codes(denied) == {"no_rule_allows"}
}

test_onboarding_is_for_onboarding_agents if {
	onboard := {"operation": "create_account", "group": "connect.onboard"}
	denied := decision with input as changed(onboard)
	denied.decision == "deny"
	allowed := decision with input as changed(object.union(onboard, {"agent": {"id": "o1", "role": "onboarding"}}))
	allowed.decision == "allow"
}

test_issuing_is_denied_until_a_rule_allows_it if {
	issue := changed({"operation": "create_card", "group": "issuing.create"})
	denied := decision with input as issue
	denied.decision == "deny"
	allowed := decision with input as issue with data.tool_decision.allow as true
	allowed.decision == "allow"
}

test_rules_may_be_booleans_sets_objects_or_texts if {
	every fired in [true, {"why"}, ["why"], {"why": true}, {{"code": "why", "message": "why"}}, "why"] {
		allowed := decision with input as refund with data.tool_decision.allow as fired
		allowed.decision == "allow"
		denied := decision with input as read with data.tool_decision.deny as fired
		denied.decision == "deny"
		held := decision with input as read with data.tool_decision.hold as fired
		held.decision == "hold"
	}
}

test_rules_that_did_not_fire_say_nothing if {
	every silent in [false, set(), [], {}, {"why": false}] {
		allowed := decision with input as read
			with data.tool_decision.deny as silent
			with data.tool_decision.hold as silent
		allowed.decision == "allow"
		denied := decision with input as refund with data.tool_decision.allow as silent
		denied.decision == "deny"
	}
}

test_a_reason_keeps_what_the_rule_says if {
	answer := decision with input as read with data.tool_decision.deny as {{"code": "frozen", "message": "year end"}}
	answer.reasons == [{"code": "frozen", "message": "year end", "rule": "tool_decision.deny"}]
}

test_obligations_come_with_what_passes if {
	asked := {"tags": {"case": "7"}}
	allowed := decision with input as read with data.tool_decision.obligations as asked
	allowed.obligations == asked
	denied := decision with input as refund with data.tool_decision.obligations as asked
	denied.obligations == {}
}

test_a_call_of_which_nothing_is_known_is_denied if {
	answer := decision with input as {}
	answer.decision == "deny"
}

test_a_rule_of_another_kind_denies_but_does_not_allow if {
	denied := decision with input as read with data.tool_decision.deny as 1
	denied.decision == "deny"
	not_allowed := decision with input as refund with data.tool_decision.allow as 1
	not_allowed.decision == "deny"
}

test_a_message_of_another_kind_gives_the_plain_reason if {
	answer := decision with input as read with data.tool_decision.deny as {7}
	codes(answer) == {"denied_by_rule"}
}

test_params_must_not_route_money if {
	routed := changed({"params": {"transfer_data": {"destination": "acct_1"}}})
	denied := decision with input as routed with data.tool_decision.allow as true
	denied.decision == "deny"
	allowed := decision with input as routed
		with data.tool_decision.allow as true
		with data.tool_decision.may_route_money as true
	allowed.decision == "allow"
}
