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
	asked := {"tags": {"case": "7"}, "repeat_window_s": 60}
	allowed := decision with input as read with data.tool_decision.obligations as asked
	allowed.obligations == asked
}

test_a_denial_keeps_what_concerns_its_row if {
	asked := {"tags": {"case": "7"}, "redact": ["metadata.note"], "repeat_window_s": 60, "budgets": []}
	denied := decision with input as refund with data.tool_decision.obligations as asked
	denied.obligations == {"tags": {"case": "7"}, "redact": ["metadata.note"]}
}

run := {"scope": "run", "window": "run", "cap": 100, "currency": "usd"}

test_obligations_of_another_kind_are_handed_on_with_a_denial if {
	denied := decision with input as refund with data.tool_decision.obligations as 7
	denied.decision == "deny"
	denied.obligations == 7
}

test_obligations_hold_together if {
	asked := {
		{"tags": {"team": "billing"}, "redact": ["b", "a"], "repeat_window_s": 60, "budgets": [run]},
		{"tags": {"team": "support", "case": "7"}, "redact": ["a"], "repeat_window_s": 30, "budgets": [run]},
		{"tags": {"case": "7"}},
	}
	allowed := decision with input as read with data.tool_decision.obligations as asked
	allowed.obligations == {
		"tags": {"team": "billing,support", "case": "7"},
		"redact": ["a", "b"],
		"repeat_window_s": 30,
		"budgets": [run],
	}
}

# The gateway refuses what is handed on here: it names it, and the call does not pass.
test_what_is_no_obligation_is_handed_on if {
	every asked in [{"a tag"}, {"redact": "a"}, {{"redact": "a"}, {"redact": ["b"]}}, {{"unknown": 1}}, {{"tags": {"a": 1}}}] {
		allowed := decision with input as read with data.tool_decision.obligations as asked
		not only_known(allowed.obligations)
	}
}

only_known(obligations) if {
	is_object(obligations)
	every name, value in obligations {
		well_shaped(name, value)
	}
}

well_shaped("redact", value) if is_array(value)

well_shaped("tags", value) if {
	every text in value {
		is_string(text)
	}
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

routed := changed({
	"params": {"payment_intent_data": {"on_behalf_of": "acct_1"}},
	"guarded": ["payment_intent_data.on_behalf_of"],
})

test_params_that_send_money_elsewhere_are_denied_whatever_allows_the_call if {
	denied := decision with input as routed with data.tool_decision.allow as true
	codes(denied) == {"guarded_param"}
}

test_params_that_send_money_elsewhere_pass_by_name_or_by_path if {
	every named in [{"on_behalf_of"}, {"payment_intent_data.on_behalf_of"}, {"on_behalf_of": true}] {
		allowed := decision with input as routed
			with data.tool_decision.allow as true
			with data.tool_decision.allow_guarded as named
		allowed.decision == "allow"
	}
	every named in [true, "on_behalf_of", {"payment_intent_data"}, {"transfer_data"}, {"on_behalf_of": false}, set()] {
		denied := decision with input as routed
			with data.tool_decision.allow as true
			with data.tool_decision.allow_guarded as named
		codes(denied) == {"guarded_param"}
	}
}

test_to_allow_a_param_is_not_to_allow_the_call if {
	denied := decision with input as routed with data.tool_decision.allow_guarded as {"on_behalf_of"}
	codes(denied) == {"no_rule_allows"}
}
