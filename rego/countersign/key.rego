# METADATA
# title: "1. The vault key only narrows"
# description: |
#   A list that the key does not have narrows nothing; a list that it has must cover the call, and an empty one covers
#   none. What a limit needs to know and the call does not say (no amount, no customer) is an objection.
package countersign.key

import rego.v1

# METADATA
# title: What in the key speaks against the call
objections contains reason("key_provider", $"The vault key is not for provider {input.provider}.") if {
	input.key.providers
	not for_provider
}

objections contains reason("key_operation", message) if {
	input.key.operations
	not for_operation
	message := $"The vault key's operations list neither {input.operation} nor its group {input.group}."
}

objections contains reason("key_endpoint", $"The vault key's endpoints do not list {input.method} {input.path}.") if {
	input.key.endpoints
	not for_endpoint
}

objections contains reason("key_customer", message) if {
	input.key.customers
	not for_customer
	message := $"The vault key is for certain customers only, and this call concerns {who}."
}

objections contains reason("key_limit", message) if {
	some limit in input.key.limits
	not holds(limit)
	message := $"The vault key limits the param {limit.param} to {bounds(limit)}, and it is {actual(limit)}."
}

# Each is a rule of its own, because `not` must cover the look-up in input as well: what is not there is not listed.
for_provider if input.provider in input.key.providers

for_operation if input.operation in input.key.operations

for_operation if input.group in input.key.operations

for_endpoint if concat(" ", [input.method, input.path]) in input.key.endpoints

for_customer if input.customer in input.key.customers

who := $"customer {input.customer}" if {
	input.customer
} else := "no known customer"

holds(limit) if {
	value := param(limit)
	at_most(limit, value)
	at_least(limit, value)
	one_of(limit, value)
}

at_most(limit, _) if not limit.max

at_most(limit, value) if {
	is_number(value)
	value <= limit.max
}

at_least(limit, _) if not limit.min

at_least(limit, value) if {
	is_number(value)
	value >= limit.min
}

one_of(limit, _) if not limit["in"]

one_of(limit, value) if {
	some item in limit["in"]
	item == value
}

# A dotted name reaches into nested params: card.brand.
param(limit) := object.get(input.params, split(limit.param, "."), null)

actual(limit) := "absent" if {
	param(limit) == null
} else := $"{param(limit)}" if {
	type_name(param(limit)) in {"string", "number", "boolean"}
} else := $"of type {type_name(param(limit))}"

bounds(limit) := concat(" and ", [bound |
	some bound in [
		[$"at most {limit.max}" | limit.max],
		[$"at least {limit.min}" | limit.min],
		[$"one of {concat(", ", [$"{item}" | some item in limit["in"]])}" | limit["in"]],
	][_]
])

reason(code, message) := {"code": code, "message": message, "rule": "countersign.key"}
