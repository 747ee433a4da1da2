/** What `init` writes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { STARTER_POLICY_DIR } from '../layout.ts'

export interface StarterFile {
  readonly path: string
  readonly content: string
}

export const starterFiles = (): readonly StarterFile[] => [
  { path: 'rego/tool_decision.rego', content: readFileSync(join(STARTER_POLICY_DIR, 'tool_decision.rego'), 'utf8') },
  { path: 'policies/README.md', content: PROJECT_POLICIES },
  { path: 'countersign.yaml', content: CONFIG },
]

const CONFIG = `# countersign.yaml: budgets, rates and repeats of this gateway, read at start. Secrets never go here.
# Uncomment what you need; \`countersign doctor\` checks it. Caps are in minor units: 100000 is 1000.00 USD.

# budgets:
#   - { scope: organisation, window: month, cap: 500000, currency: usd }
#   - { scope: project, window: day, cap: 100000, currency: usd, subject: project-billing, alerts: [50, 80, 100] }
#   - { scope: agent, window: day, cap: 10000, currency: usd }
#   - { scope: run, window: lifetime, cap: 2500, currency: usd }
#   - { scope: agent, window: call, cap: 5000, currency: usd }

# Units of the second currency for one of the first. A currency without a rate is refused.
# rates:
#   eur/usd: 1.08

# What a write that was made before in the same run means: replay (its answer, again), deny, or off.
# repeat:
#   mode: replay
#   window: 24h
`

const PROJECT_POLICIES = `# Project policies

One YAML file a project. A project that has one is deny-by-default, reads and writes alike: only its live grants allow.
Changes are taken up at once, without a restart. \`policies/project-billing.yaml\`:

\`\`\`yaml
project: project-billing
agents:
  - billing-reconciler-1
grants:
  - service: stripe
    actions: ["stripe:refunds:create", "stripe:charges:*"]
    resources: ["stripe.com/v1/*"]
    expires: "2027-01-01T00:00:00Z"
\`\`\`
`
