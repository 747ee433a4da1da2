# METADATA
# title: "3. Params that send money elsewhere"
# description: |
#   The catalogue names params that route money, or the responsibility for it, to another account, and `input.guarded`
#   lists those that were sent, at any depth. Each is denied unless the operator's `allow_guarded` names it, whatever else
#   allows the call: a rule that lets an agent charge a card does not let it choose who gets the money.
package countersign.guarded

import rego.v1

objections contains reason if {
	some path in input.guarded
	not allowed(path)
	reason := {
		"code": "guarded_param",
		"message": concat("", [
			$"The param {path} sends money or responsibility to another account, ",
			$"and no allow_guarded rule in tool_decision.rego names it.",
		]),
		"rule": "countersign.guarded",
	}
}

# METADATA
# title: Whether the operator allows the param
# description: By its own name, `transfer_data`, wherever it stands; or by its whole path, `payment_intent_data.on_behalf_of`.
allowed(path) if path in named

allowed(path) if {
	steps := split(path, ".")
	steps[count(steps) - 1] in named
}

named := names(data.tool_decision.allow_guarded)

# A function, because its argument may be of any type: what the operator's rule is, is known to the compiler otherwise.
names(given) := given if is_set(given)

# `allow_guarded["transfer_data"] if …` in the current dialect makes an object: {"transfer_data": true}.
names(given) := {name | some name, value in given; value == true} if is_object(given)
