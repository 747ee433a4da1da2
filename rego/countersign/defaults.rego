# METADATA
# title: "5. The defaults of the operation groups"
# description: |
#   `data.countersign.groups` says by group what happens to reads and writes where neither a project policy nor one of the
#   operator's rules speaks: "allow", "deny", or the roles that may. A group that is not there falls under "*".
package countersign.defaults

import rego.v1

group := own if {
	own := data.countersign.groups[input.group]
} else := data.countersign.groups["*"]

permissions contains reason("allowed_by_default", $"The group {input.group} allows every {input.effect}.") if {
	group[input.effect] == "allow"
}

permissions contains reason("allowed_by_role", message) if {
	some role in group[input.effect].roles
	role == input.agent.role
	message := $"The group {input.group} allows a {input.effect} to the role {role}."
}

objections contains reason("no_rule_allows", message) if {
	message := concat("", [
		$"No rule allows the {input.effect} {input.operation} ({input.group}) for agent {input.agent.id}{role}: ",
		$"without an allow rule in tool_decision.rego, {input.group} is denied.",
	])
}

role := $" with role {input.agent.role}" if {
	input.agent.role
} else := " with no role"

reason(code, message) := {"code": code, "message": message, "rule": "countersign.defaults"}
