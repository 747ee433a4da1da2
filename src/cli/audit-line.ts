/** One audit row as one line for people: time, agent, action, what became of it, reason, cost, event id. */
import type { AuditEvent } from '../model/event.ts'
import { formatMoney } from '../model/money.ts'
import { plain } from './output.ts'

export function auditLine(event: AuditEvent): string {
  const { ts, agent = '-', action, operation, kind, cost, currency, event_id } = event
  const money = cost !== undefined && currency ? formatMoney({ value: cost, currency }) : '-'
  return [
    ts,
    (agent || '-').padEnd(20),
    (action ?? operation ?? '-').padEnd(28),
    resultOf(event).padEnd(13),
    money.padStart(12),
    event_id,
    reasonOf(event) || kind,
  ]
    .map(plain)
    .join('  ')
}

const resultOf = ({ kind, decision, outcome }: AuditEvent): string =>
  (kind === 'decision' ? decision : outcome) ?? kind.replaceAll('_', ' ')

function reasonOf({ kind, reason, reasons }: AuditEvent): string {
  // An outcome's reasons are those of the decision, a line or two above.
  if (kind === 'outcome') return reason ?? ''
  const [first] = (reasons ?? []) as readonly { readonly code?: unknown; readonly message?: unknown }[]
  const code = reason ?? first?.code
  const message = first?.message === code ? undefined : first?.message
  return [code, message].filter((part) => typeof part === 'string' && part !== '').join(': ')
}
