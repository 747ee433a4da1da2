/** A long history, written by the journal itself: as many decisions as asked for, over the week before `until`. */
import type { VaultKey } from '../../src/model/agent.ts'
import type { AuditEvent } from '../../src/model/event.ts'
import type { EventId } from '../../src/model/id.ts'
import type { Journal } from '../../src/model/journal.ts'

const WEEK_MS = 7 * 86_400_000
const AGENTS = 40
/** Written at once. */
const PORTION = 4_096

export const historyKey = (agent: number): VaultKey => ({
  id: `vk_history_${agent}`,
  organisation: 'acme',
  project: 'project-support',
  agent: { id: `support-${agent}`, role: agent % 5 === 0 ? 'support-tier-2' : 'support-tier-1' },
  providers: ['stripe'],
  operations: ['read', 'payments.refund'],
  budgets: [],
  created_at: '2026-01-01T00:00:00.000Z',
})

export const HISTORY_KEYS: readonly VaultKey[] = Array.from({ length: AGENTS }, (_, agent) => historyKey(agent))

/**
 * Every fourth call reads. The others refund 1.00, 2.00, … 100.00 USD, which the policy then allowed up to 50.00 USD to
 * first-line support and denied to everybody else; every hundredth that it allowed was refused by a cap.
 */
export async function writeHistory(journal: Journal, calls: number, until: number): Promise<void> {
  for (let start = 0; start < calls; start += PORTION) {
    const portion = Array.from({ length: Math.min(PORTION, calls - start) }, (_, at) =>
      decision(start + at, Math.floor(until - WEEK_MS + ((start + at) * WEEK_MS) / calls)),
    )
    await journal.append(portion)
  }
}

function decision(call: number, time: number): AuditEvent {
  const key = HISTORY_KEYS[call % AGENTS]!
  const id = uuidv7(time, call)
  const common = {
    ...{
      id,
      event_id: id,
      kind: 'decision' as const,
      ts: new Date(time).toISOString(),
      organisation: key.organisation,
    },
    ...{ project: key.project!, agent: key.agent.id, role: key.agent.role!, key_id: key.id, provider: 'stripe' },
    ...{ run: `conv-${call % 500}`, turn: call % 20, occurrence: 1, policy_revision: 'sha256:then' },
  } as const
  if (call % 4 === 0)
    return {
      ...common,
      ...{ operation: 'list_customers', action: 'stripe:customers:list', resource: 'stripe.com/v1/customers' },
      params: { limit: 10 },
      decision: 'allow',
      reasons: [
        { code: 'allowed_by_default', message: 'The group read allows every read.', rule: 'countersign.defaults' },
      ],
    }
  const amount = ((call % 100) + 1) * 100
  const refund = {
    ...common,
    ...{ operation: 'create_refund', action: 'stripe:refunds:create', resource: 'stripe.com/v1/refunds' },
    params: { charge: `ch_${call}`, amount, reason: 'requested_by_customer', metadata: { ticket: `T-${call}` } },
    customer: `cus_${call % 1_000}`,
    ...{ cost: amount, currency: 'usd' },
    spend: [
      {
        ...{ budget: `agent ${key.agent.id} per day`, scope: 'agent', window: 'day', currency: 'usd' },
        ...{ cap: 1_000_000, spent: amount, reserved: 0 },
      },
    ],
  }
  if (key.agent.role !== 'support-tier-1' || amount > 5_000)
    return {
      ...refund,
      ...{ decision: 'deny', reason: 'policy_denied', http_status: 403 },
      reasons: [{ code: 'no_rule_allows', message: 'No rule allows it.', rule: 'countersign.defaults' }],
    }
  if (call % 100 === 49)
    return {
      ...refund,
      ...{ decision: 'deny', reason: 'spend_cap_exceeded', http_status: 403 },
      reasons: [{ code: 'spend_cap_exceeded', message: 'A cap would be passed.', rule: 'countersign' }],
    }
  return {
    ...refund,
    decision: 'allow',
    reasons: [{ code: 'allowed_by_rule', message: 'An allow rule covers it.', rule: 'tool_decision.allow' }],
  }
}

/** As the gateway's ids: in the order of their time. */
function uuidv7(time: number, call: number): EventId {
  const stamp = time.toString(16).padStart(12, '0')
  const counter = call.toString(16).padStart(12, '0')
  return `${stamp.slice(0, 8)}-${stamp.slice(8)}-7000-8000-${counter}` as EventId
}
