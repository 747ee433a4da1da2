# Tests in Rego, beside the tables in cases/: for what a table cannot say, such as every value of a range.
package tool_decision_test

import data.tool_decision
import rego.v1

refund(cents) := {
	"operation": "create_refund",
	"group": "payments.refund",
	"agent": {"id": "support-1", "role": "support-tier-1"},
	"amount": {"value": cents, "currency": "usd"},
}

test_no_refund_beyond_the_cap_is_allowed if {
	every cents in numbers.range(5001, 5100) {
		count(tool_decision.allow) == 0 with input as refund(cents)
	}
}
