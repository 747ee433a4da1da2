# METADATA
# title: "4. A project with a policy denies by default"
# description: |
#   A project's policy is what the gateway read from its YAML. Grants are keyed by action and resource; those with a `*` in
#   the middle of things (`patterns`), by what their patterns begin with, and tried one by one. A decision costs the same
#   with one grant as with a hundred thousand, because the gateway hands in, with each call, only those that the call can
#   touch. OPA's own evaluator has all of them in `data.projects`, by the projects' names, and decides the same.
package countersign.projects

import rego.v1

# Not `input.project_policy`, for it is no part of the question that rules may ask about.
handed_in := object.get(input, "project_policy", null)

policy := handed_in if {
	handed_in != null
} else := data.projects[input.project]

# METADATA
# title: The call's project has a policy, so that the defaults and the operator's allow rules do not count
governs if policy

service := policy.services[input.provider]

# Rules of their own, because `not` must cover the look-up in input as well: what is not there is not listed.
listed if policy.agents[input.agent.id]

before_end(grant) if input.time < grant.expires

names_branch if _ = input.params.branch

# A grant may name an action in full (stripe:refunds:create), within its service (refunds:create), as an operation
# (create_refund) or by its group (payments.refund).
actions := {name |
	some name in [
		input.action,
		trim_prefix(input.action, concat("", [input.provider, ":"])),
		input.operation,
		object.get(input, "group", input.operation),
	]
}

covering contains index if {
	some action in (actions | {"*"})
	some resource in {input.resource, "*"}
	some index in service.lookup[action][resource]
}

covering contains index if {
	some index in service.patterns[_][_]
	some action in actions
	matches_any(policy.grants[index].actions, action)
	matches_any(policy.grants[index].resources, input.resource)
}

# Grants that cover the call and hold now: not expired, on a branch that they list, not denied by their own patterns.
live contains index if {
	listed
	some index in covering
	grant := policy.grants[index]
	not expired(grant)
	on_branch(grant)
	count(forbidden(grant)) == 0
}

permissions contains reason("granted", message) if {
	some index in live
	message := $"{policy.grants[index].name} of project {input.project} covers {input.action} on {input.resource}."
}

# METADATA
# title: The grant that the audit line names
credit := {"grant_id": min(ids)} if {
	ids := {policy.grants[index].grant_id | some index in live}
	count(ids) > 0
} else := {}

objections contains reason("agent_not_listed", message) if {
	not listed
	message := $"The policy of project {input.project} does not list agent {input.agent.id}."
}

objections contains reason("no_grant_covers", message) if {
	listed
	count(covering) == 0
	message := $"No grant of project {input.project} covers {input.action} on {input.resource}; its policy denies by default."
}

objections contains reason("grant_expired", $"{grant.name} of project {input.project} expired at {grant.expires}.") if {
	some index in covering
	grant := policy.grants[index]
	expired(grant)
}

objections contains reason("branch_not_granted", message) if {
	some index in covering
	grant := policy.grants[index]
	not on_branch(grant)
	message := $"{grant.name} of project {input.project} does not list the branch {input.params.branch}."
}

objections contains reason("grant_denies", $"{grant.name} of project {input.project} denies \"{text}\".") if {
	some index in covering
	grant := policy.grants[index]
	some text in forbidden(grant)
}

expired(grant) if {
	grant.expires
	not before_end(grant)
}

# A call that names no branch (reading a repository) is on none, and no list of branches speaks of it.
on_branch(grant) if not grant.branches

on_branch(_) if not names_branch

on_branch(grant) if matches_any(grant.branches, input.params.branch)

# The grant's deny patterns that the call hits: by action, by resource, or by any text in its params.
forbidden(grant) := {denied.text |
	some denied in grant.deny
	hits(denied)
}

hits(denied) if {
	some name in (actions | {input.resource})
	matches(denied.name, name)
}

hits(denied) if {
	some text in texts
	contains(text, denied.text)
}

hits(denied) if {
	some text in texts
	glob.match(denied.within, null, text)
}

# Every text in params, and every list of words as the line that it makes; white space counts as one space.
texts contains squeezed(value) if {
	walk(input.params, [_, value])
	is_string(value)
}

texts contains squeezed(concat(" ", words)) if {
	walk(input.params, [_, value])
	is_array(value)
	words := [word | some word in value; is_string(word)]
	count(words) > 1
}

squeezed(text) := concat(" ", [word |
	some word in split(strings.replace_n({"\t": " ", "\n": " ", "\r": " "}, text), " ")
	word != ""
])

matches_any(patterns, value) if {
	some pattern in patterns
	matches(pattern, value)
}

matches(pattern, _) if pattern.any

matches(pattern, value) if pattern.is == value

matches(pattern, value) if startswith(value, pattern.starts)

matches(pattern, value) if glob.match(pattern.glob, null, value)

reason(code, message) := {"code": code, "message": message, "rule": "countersign.projects"}
