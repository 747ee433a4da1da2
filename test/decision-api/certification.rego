# The fixture of the AuthZEN certification scenario: alice writes what is not archived, an admin writes anything, and
# everybody reads.
package tool_decision

import rego.v1

on_record if input.provider == "record"

archived if input.params.status == "archived"

allow if {
	on_record
	input.operation == "read"
}

allow if {
	on_record
	input.operation == "write"
	input.agent.id == "alice"
	not archived
}

allow if {
	on_record
	input.operation == "write"
	input.agent.role == "admin"
}

allow if {
	on_record
	input.operation == "delete"
	input.agent.id == "alice"
	input.params.soft == true
}
