# METADATA
# title: Countersign's library
# description: |
#   Composes the operator's rules (package tool_decision) with the vault key, the project policies and the defaults into
#   one decision. Read this file first; each import is a file beside it, in order of precedence.
package countersign

import data.countersign.defaults
import data.countersign.guarded
import data.countersign.key
import data.countersign.obligations
import data.countersign.operator
import data.countersign.projects
import rego.v1

# METADATA
# title: The decision on one call
# description: |
#   Order is precedence. A call is denied by the first part that objects, and nothing below can bring it back:
#   1. the vault key's own limits, which only ever narrow;
#   2. the operator's deny rules;
#   3. params that send money elsewhere, unless the operator's allow_guarded names them;
#   4. the project's policy, where it has one: only a live grant allows;
#   5. else the defaults of the operation's group: reads allowed, writes denied,
#   6. unless one of the operator's allow rules opts in.
#   7. A hold rule turns what is allowed by now into a wait for a human.
#   What no part allows is denied.
# entrypoint: true
decision := denied(key.objections) if count(key.objections) > 0

else := denied(operator.denials) if count(operator.denials) > 0

else := denied(guarded.objections) if count(guarded.objections) > 0

else := denied(objections) if count(permissions) == 0

else := granted("hold", operator.holds) if count(operator.holds) > 0

else := granted("allow", permissions)

# METADATA
# title: What allows the call
permissions := projects.permissions if {
	projects.governs
} else := defaults.permissions | operator.allowances

# METADATA
# title: Why nothing allows it
objections := projects.objections if {
	projects.governs
} else := defaults.objections

denied(reasons) := {"decision": "deny", "reasons": sort(reasons), "obligations": obligations.of_a_denial}

granted(verdict, reasons) := object.union(
	{"decision": verdict, "reasons": sort(reasons), "obligations": obligations.owed},
	projects.credit,
)
