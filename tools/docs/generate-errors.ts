/** Writes docs/errors.md from the table of refusals, so that every code has its page and none is out of date. */
import { writeFileSync } from 'node:fs'
import { REFUSALS } from '../../src/model/refusal.ts'

const rows = Object.entries(REFUSALS).map(
  ([code, { status, title, fix, retryable }]) => `
<a id="${code}"></a>

### ${code}

${title}. HTTP ${status}; ${retryable ? 'the same call with the same call id may be sent again, and could then pass' : 'sending the same call again brings the same answer'}.

Fix: ${fix}
`,
)

writeFileSync(
  new URL('../../docs/errors.md', import.meta.url),
  `# Errors

Every refusal is an RFC 9457 problem document with one of the codes below. \`detail\` says what was wrong with this very
request, \`fix\` what to do, \`event_id\` leads to the audit row, and \`reasons\` to the rules. On a drop-in surface the same facts
come in the provider's own error shape, so that its SDK raises its own class; a 409 is a 400 there, because provider SDKs
send a 409 again by themselves.

\`\`\`json
{
  "type": "/docs/errors#policy_denied",
  "title": "Policy denies this call",
  "status": 403,
  "code": "policy_denied",
  "detail": "No rule allows the write create_refund (payments.refund) for agent support-agent …",
  "fix": "Add an allow rule for it to tool_decision.rego, or ask whoever runs the gateway to.",
  "retryable": false,
  "event_id": "01a1fd5e-dc45-7668-9e3a-7589121c0f9a",
  "reasons": [{ "code": "no_rule_allows", "message": "No rule allows …", "rule": "countersign.defaults" }]
}
\`\`\`
${rows.join('')}`,
)
