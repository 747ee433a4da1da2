/** What `init --policy-repo` writes: a policy repository that checks and tests itself. `examples/policy-repo` is the same. */
import { readFileSync } from 'node:fs'
import { PACKAGE_DIR } from '../layout.ts'
import { schemaText } from '../schemas.ts'
import type { StarterFile } from './init-files.ts'

export const policyRepoFiles = (): readonly StarterFile[] => [
  { path: 'README.md', content: README },
  { path: 'package.json', content: `${JSON.stringify(manifest(), null, 2)}\n` },
  { path: '.gitignore', content: 'node_modules/\npolicy-tests.xml\n' },
  { path: '.github/workflows/policy.yml', content: WORKFLOW },
  { path: 'rego/tool_decision.rego', content: RULES },
  { path: 'rego/tool_decision_test.rego', content: RULES_TEST },
  { path: 'policies/project-billing.yaml', content: PROJECT },
  { path: 'cases/rules.yaml', content: CASES },
  { path: 'cases/project-billing.yaml', content: PROJECT_CASES },
  ...['policy-cases', 'project-policy'].map((name) => ({
    path: `schemas/${name}.json`,
    content: schemaText(name),
  })),
]

function manifest(): object {
  const { version } = JSON.parse(readFileSync(new URL('package.json', PACKAGE_DIR), 'utf8')) as { version: string }
  return {
    name: 'agent-policy',
    private: true,
    scripts: {
      check: 'countersign policy check',
      test: 'countersign policy test',
      format: 'countersign policy fmt --write',
    },
    devDependencies: { countersign: version },
  }
}

const README = `# What our agents may do

Rego rules and project policies for a Countersign gateway, with tables of cases that say what they must decide.

\`\`\`sh
npm install
npx countersign policy check    # misspelt fields, unused names, rules that never fire
npx countersign policy test     # every case, by the compiled policy and by OPA's own evaluator
\`\`\`

Commit the package-lock.json that \`npm install\` writes: the workflow installs from it. Nothing else is needed, no OPA
binary either.

| file                           | what it is                                                      |
| ------------------------------ | --------------------------------------------------------------- |
| \`rego/tool_decision.rego\`      | the rules: deny, allow, hold                                    |
| \`policies/*.yaml\`              | one file a project; a project that has one is denied by default |
| \`cases/*.yaml\`                 | calls, and what must be decided on them                         |
| \`schemas/\`                     | for your editor: what a case and a project policy may hold      |
| \`.github/workflows/policy.yml\` | the same checks on every push                                   |

To change a rule: write the case first, run \`npx countersign policy test --watch\`, change the rule until it passes.

A gateway that is started here (\`npx countersign serve\`) reads both folders and follows their changes. One that runs
elsewhere takes them by \`npx countersign policy push\`; COUNTERSIGN_ADMIN_URL and COUNTERSIGN_ADMIN_TOKEN say where it
is. Either way without a restart, and the policy in force stays where a new one does not compile.
`

const WORKFLOW = `name: policy

on:
  push:
  pull_request:

permissions:
  contents: read

jobs:
  policy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with:
          node-version: 20
          cache: npm
      - run: npm ci
      - run: npx countersign policy fmt --check --diff
      - run: npx countersign policy check
      - run: npx countersign policy test --coverage --threshold 80 --format junit --out policy-tests.xml
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: policy-tests
          path: policy-tests.xml
`

const RULES = `# METADATA
# title: What our agents may do
# description: |
#   Without a rule here, reads are allowed and writes are denied. Then:
#     deny   wins over everything but the vault key's own limits
#     allow  opts in to what the defaults deny
#     hold   makes an allowed call wait for a human who sees its exact arguments
#   What input holds is in node_modules/countersign/schemas/decision-input.json; amounts are in minor units (500 is
#   5.00 USD).
package tool_decision

import rego.v1

# Small refunds by first-line support. The cap is on the amount that would really move, in its own currency.
allow contains "a small refund by support" if {
	input.operation == "create_refund"
	input.agent.role == "support-tier-1"
	input.amount.currency == "usd"
	input.amount.value <= 5000
}

# A whole group of operations, for one agent.
allow contains "subscriptions are its job" if {
	input.group == "subscriptions.write"
	input.agent.id == "billing-reconciler-1"
}

# The last tenth of every budget is for humans.
deny contains $"the budget {budget.budget} is nearly used up" if {
	input.effect == "write"
	some budget in input.spend
	(budget.spent + budget.reserved) * 10 > budget.cap * 9
}

# Params that send money to another account (transfer_data, on_behalf_of, a charge's destination) are denied in every call
# until a rule here names them. This allows the param alone; the call needs an allow rule beside it.
allow_guarded contains "on_behalf_of" if input.agent.role == "marketplace"

# A human looks at every wanted repeat of a call, and at refunds beyond 20.00 USD.
hold contains "the same call again" if input.occurrence > 1

hold contains "a refund beyond 20.00 USD" if {
	input.group == "payments.refund"
	input.amount.value > 2000
}
`

const RULES_TEST = `# Tests in Rego, beside the tables in cases/: for what a table cannot say, such as every value of a range.
package tool_decision_test

import data.tool_decision
import rego.v1

refund(cents) := {
	"operation": "create_refund",
	"group": "payments.refund",
	"agent": {"id": "support-1", "role": "support-tier-1"},
	"amount": {"value": cents, "currency": "usd"},
}

test_no_refund_beyond_the_cap_is_allowed if {
	every cents in numbers.range(5001, 5100) {
		count(tool_decision.allow) == 0 with input as refund(cents)
	}
}
`

const PROJECT = `# yaml-language-server: $schema=../schemas/project-policy.json
# project-billing: deny by default, reads too. Only these grants allow, and only these agents.
project: project-billing
agents:
  - billing-reconciler-1
  - invoice-generator
grants:
  - service: stripe
    actions: ["charges:read", "invoices:*"]
    deny: ["stripe:invoices:delete"]
  - service: stripe
    actions: [create_refund]
    expires: "2030-01-01T00:00:00Z"
    grant_id: gr_refunds
    requested_by: billing-reconciler-1
    approved_by: head-of-billing
`

const CASES = `# yaml-language-server: $schema=../schemas/policy-cases.json
# \`input\` is laid over a base call; the catalogue fills in group, effect, action and the rest of an operation.
input:
  provider: stripe
  agent: { id: support-1, role: support-tier-1 }

cases:
  - name: reads are allowed
    input: { operation: list_customers }
    expect: allow

  - name: a small refund by support is allowed
    input: { operation: create_refund, params: { charge: ch_1, amount: 500 }, amount: { value: 500, currency: usd } }
    expect: { decision: allow, reasons: [allowed_by_rule], says: a small refund by support }

  - name: a refund beyond 20.00 USD waits for a human
    input: { operation: create_refund, params: { charge: ch_1 }, amount: { value: 2001, currency: usd } }
    expect: { decision: hold, reasons: [held_by_rule] }

  - name: a refund beyond the cap is denied, and no human is asked
    input: { operation: create_refund, params: { charge: ch_1 }, amount: { value: 5001, currency: usd } }
    expect: { decision: deny, reasons: [no_rule_allows] }

  - name: a refund in yen is not a small one
    input: { operation: create_refund, params: { charge: ch_1 }, amount: { value: 500, currency: jpy } }
    expect: deny

  - name: the same refund once more waits for a human
    input: { operation: create_refund, params: { charge: ch_1 }, amount: { value: 500, currency: usd }, occurrence: 2 }
    expect: { decision: hold, says: the same call again }

  - name: another role refunds nothing
    input:
      operation: create_refund
      agent: { role: intern }
      amount: { value: 500, currency: usd }
    expect: { decision: deny, reasons: [no_rule_allows] }

  - name: subscriptions are the reconciler's job
    input: { operation: create_subscription, agent: { id: billing-reconciler-1, role: null } }
    expect: { decision: allow, reasons: [allowed_by_rule] }

  - name: the last tenth of a budget is for humans
    input:
      operation: create_refund
      amount: { value: 500, currency: usd }
      spend:
        - { budget: support per day, scope: role, window: day, cap: 10000, spent: 9001, reserved: 0, currency: usd }
    expect: { decision: deny, reasons: [denied_by_rule], says: support per day }

  - name: money is not sent to another account, not even by a call that is allowed
    input:
      operation: create_subscription
      agent: { id: billing-reconciler-1, role: null }
      params: { customer: cus_1, transfer_data: { destination: acct_1 } }
    expect: { decision: deny, reasons: [guarded_param], says: transfer_data }

  - name: the marketplace names the account that it acts for, in calls that are its job
    input:
      operation: create_subscription
      agent: { id: billing-reconciler-1, role: marketplace }
      params: { customer: cus_1, on_behalf_of: acct_1 }
    expect: { decision: allow, reasons: [allowed_by_rule] }
`

const PROJECT_CASES = `# yaml-language-server: $schema=../schemas/policy-cases.json
input:
  provider: stripe
  project: project-billing
  agent: { id: billing-reconciler-1 }
time: "2026-12-01T09:00:00Z"

cases:
  - name: a granted read is allowed
    input: { operation: retrieve_charge }
    expect: { decision: allow, reasons: [granted] }

  - name: a read that no grant covers is denied
    input: { operation: list_customers }
    expect: { decision: deny, reasons: [no_grant_covers] }

  - name: a grant's deny beats its actions
    input: { operation: delete_invoice }
    expect: { decision: deny, reasons: [grant_denies] }

  - name: an agent that the project does not list is denied
    input: { operation: retrieve_charge, agent: { id: support-1 } }
    expect: { decision: deny, reasons: [agent_not_listed] }

  - name: a live grant allows a refund, and the audit line names it
    input: { operation: create_refund, params: { charge: ch_1 }, amount: { value: 500, currency: usd } }
    expect: { decision: allow, reasons: [granted], grant_id: gr_refunds }

  - name: from the second it expires a grant grants nothing
    time: "2030-01-01T00:00:00Z"
    input: { operation: create_refund, params: { charge: ch_1 }, amount: { value: 500, currency: usd } }
    expect: { decision: deny, reasons: [grant_expired] }

  - name: a large refund waits for a human, grant or no grant
    input: { operation: create_refund, params: { charge: ch_1 }, amount: { value: 500000, currency: usd } }
    expect: { decision: hold, reasons: [held_by_rule], grant_id: gr_refunds }
`
