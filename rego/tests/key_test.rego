package key_test

import data.call_test.changed
import data.call_test.codes
import data.countersign.decision
import rego.v1

objections(key) := found if {
	found := data.countersign.key.objections with input as changed({"key": key})
}

test_a_key_without_lists_narrows_nothing if count(objections({"id": "vk_1"})) == 0

test_a_key_names_groups_or_operations if {
	count(objections({"operations": ["payments.refund"]})) == 0
	count(objections({"operations": ["create_refund"]})) == 0
	count(objections({"operations": ["read"]})) == 1
}

test_a_list_that_names_the_call_covers_it if {
	count(objections({"providers": ["stripe"]})) == 0
	count(objections({"endpoints": ["POST /v1/refunds"]})) == 0
	count(objections({"customers": ["cus_1"]})) == 0
}

test_an_empty_list_covers_nothing if {
	every list in ["providers", "operations", "endpoints", "customers"] {
		count(objections({list: []})) == 1
	}
}

test_what_the_call_does_not_say_is_not_listed if {
	lists := {"providers": ["stripe"], "operations": ["read"], "endpoints": ["GET /"], "customers": ["cus_1"]}
	every name, list in lists {
		found := data.countersign.key.objections with input as {"key": {name: list}}
		count(found) == 1
	}
}

test_every_limit_must_hold if {
	count(objections({"limits": [{"param": "amount", "max": 500, "min": 500}]})) == 0
	count(objections({"limits": [{"param": "amount", "max": 499}]})) == 1
	count(objections({"limits": [{"param": "amount", "min": 501}]})) == 1
	count(objections({"limits": [{"param": "amount", "max": 0}]})) == 1
	count(objections({"limits": [{"param": "charge", "in": ["ch_1"]}, {"param": "charge", "in": ["ch_2"]}]})) == 1
}

test_an_absent_param_fails_its_limit if count(objections({"limits": [{"param": "currency", "in": ["usd"]}]})) == 1

test_a_list_fails_its_limit if {
	call := changed({"params": {"amount": [1]}, "key": {"limits": [{"param": "amount", "max": 9}]}})
	found := data.countersign.key.objections with input as call
	count(found) == 1
}

test_a_text_is_no_number if {
	call := changed({"params": {"amount": "9"}, "key": {"limits": [{"param": "amount", "min": 1}]}})
	found := data.countersign.key.objections with input as call
	count(found) == 1
}

test_a_call_of_no_known_customer_is_for_none if {
	call := object.remove(changed({"key": {"customers": ["cus_1"]}}), ["customer"])
	found := data.countersign.key.objections with input as call
	count(found) == 1
}

test_the_key_goes_before_allow_rules if {
	answer := decision with input as changed({"key": {"operations": ["read"]}})
		with data.tool_decision.allow as true
	answer.decision == "deny"
	codes(answer) == {"key_operation"}
}
