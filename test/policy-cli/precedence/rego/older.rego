# The same in the older dialect.
package tool_decision

allow {
	input.params.allow == "older"
}

deny["an older deny rule"] {
	input.params.deny == "older"
}

hold["an older hold rule"] {
	input.params.hold == "older"
}
