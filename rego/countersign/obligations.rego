# METADATA
# title: What the gateway owes with the decision
# description: |
#   The operator's `obligations`, either one object (`obligations := {…} if …`) or a set of them
#   (`obligations contains {…} if …`), of which all that apply hold together: every field is redacted, the shortest window
#   counts, every budget is drawn on, and a tag that is given twice keeps both values. What has another shape is handed on
#   as it is: the gateway then refuses the policy when it loads, or the call.
package countersign.obligations

import rego.v1

# METADATA
# title: All that was asked, as one object
# description: |
#   Read through functions, whose arguments have no type: else the compiler would hold the rules below to the type of
#   what one policy asks for, and refuse `obligations := {"repeat_window_s": 60}` here.
default owed := {}

owed := owing(data.tool_decision.obligations)

together(asked) if {
	is_set(asked)
	every one in asked {
		is_object(one)
	}
}

owing(asked) := asked if {
	not together(asked)
} else := {name: combined(name, values) |
	some one in asked
	some name, _ in one
	values := [value | some each in asked; some field, value in each; field == name]
}

# METADATA
# title: What concerns the audit row of a call that goes nowhere
of_a_denial := object.remove(owed, ["budgets", "repeat_window_s"]) if {
	is_object(owed)
} else := owed

combined(name, values) := sort({item | some list in values; some item in list}) if {
	name in {"redact", "budgets"}
	all_of(values, "array")
} else := min(values) if {
	name == "repeat_window_s"
	all_of(values, "number")
} else := {tag: concat(",", sort(told(tag, values))) | some tags in values; some tag, _ in tags} if {
	name == "tags"
	all_of(values, "object")
	all_of([text | some tags in values; some text in tags], "string")
} else := values[0] if {
	count(values) == 1
} else := {"together": values}

told(tag, values) := {text | some tags in values; some name, text in tags; name == tag}

all_of(values, kind) if {
	every value in values {
		type_name(value) == kind
	}
}
