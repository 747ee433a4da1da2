# Rules that fire on demand, in the current dialect. Those of older.rego stand beside them under the same names.
package tool_decision

import rego.v1

allow if input.params.allow == "newer"

deny contains "a newer deny rule" if input.params.deny == "newer"

hold contains "a newer hold rule" if input.params.hold == "newer"
