# METADATA
# title: "2, 6 and 7. The operator's rules"
# description: |
#   What package tool_decision says. A rule may be a plain boolean (`deny if …`), or a set of messages
#   (`deny contains "why" if …`), or a set of objects with a code and a message; both dialects of Rego do.
package countersign.operator

import rego.v1

denials contains reason if {
	some reason in reasons(data.tool_decision.deny, plain_denial)
}

# A deny rule with a value that says neither yes nor no is a mistake, and mistakes deny.
denials contains plain_denial if {
	kind := type_name(data.tool_decision.deny)
	kind in {"number", "null"}
}

plain_denial := {
	"code": "denied_by_rule",
	"message": $"A deny rule refuses {input.operation} for agent {input.agent.id}.",
	"rule": "tool_decision.deny",
}

allowances contains reason if {
	some reason in reasons(data.tool_decision.allow, {
		"code": "allowed_by_rule",
		"message": $"An allow rule covers {input.operation} for agent {input.agent.id}.",
		"rule": "tool_decision.allow",
	})
}

holds contains reason if {
	some reason in reasons(data.tool_decision.hold, {
		"code": "held_by_rule",
		"message": $"A human must approve {input.operation} for agent {input.agent.id} first.",
		"rule": "tool_decision.hold",
	})
}

# METADATA
# title: A rule's value as reasons
# description: Empty where the rule did not fire. The plain reason stands in for what the rule leaves out.
reasons(fired, plain) := {plain} if fired == true

reasons(fired, plain) := {told(fired, plain)} if is_string(fired)

reasons(fired, plain) := {told(message, plain) | some message in fired} if is_set(fired)

reasons(fired, plain) := {told(message, plain) | some message in fired} if is_array(fired)

# `deny["why"] if …` in the current dialect makes an object: {"why": true}.
reasons(fired, plain) := {told(message, plain) | some message, value in fired; value != false} if is_object(fired)

told(message, plain) := object.union(plain, {"message": message}) if {
	is_string(message)
} else := object.union(plain, object.filter(message, ["code", "message"])) if {
	is_object(message)
} else := plain
