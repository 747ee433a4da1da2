/** Audit rows, from what is known of a call so far. */
import { v7 as uuidv7 } from 'uuid'
import type { VaultKey } from '../model/agent.ts'
import type { SpendAlert } from '../model/counters.ts'
import type { Decision, SpendFact } from '../model/decision.ts'
import { defined } from '../model/defined.ts'
import type { AuditEvent, EventKind } from '../model/event.ts'
import type { EventId } from '../model/id.ts'
import { formatMoney } from '../model/money.ts'
import type { Facts, JsonObject, Operation } from '../model/operation.ts'
import type { Outcome } from '../model/outcome.ts'
import { REFUSALS, type Refusal } from '../model/refusal.ts'

/** Grows along the path: a row of a call that was refused early has few fields, and says so by leaving them out. */
export interface Known {
  readonly event_id: EventId
  readonly provider?: string
  /** As asked for, where it could not be resolved. */
  readonly asked?: string
  readonly key?: VaultKey
  readonly operation?: Operation
  readonly run?: string
  readonly turn?: number
  readonly correlation_id?: string
  readonly call_id?: string
  readonly occurrence?: number
  /** Redacted already. */
  readonly params?: JsonObject
  readonly facts?: Facts
  /** What policy saw of the counters. */
  readonly spend?: readonly SpendFact[]
  readonly decision?: Decision
}

type Own = Partial<
  Pick<
    AuditEvent,
    | 'decision'
    | 'reason'
    | 'reasons'
    | 'http_status'
    | 'outcome'
    | 'upstream_request_id'
    | 'latency_ms'
    | 'cost'
    | 'currency'
    | 'tags'
    | 'organisation'
  >
>

/** A call that nobody could be found for belongs to no organisation. */
export const NOBODY = '-'

export function row(kind: EventKind, known: Known, own: Own, now: Date): AuditEvent {
  const { key, operation, facts, spend = [], decision } = known
  return defined({
    id: uuidv7(),
    event_id: known.event_id,
    kind,
    ts: now.toISOString(),
    organisation: key?.organisation ?? NOBODY,
    project: key?.project,
    agent: key?.agent.id,
    role: key?.agent.role,
    run: known.run,
    turn: known.turn,
    correlation_id: known.correlation_id,
    call_id: known.call_id,
    occurrence: known.occurrence,
    key_id: key?.id,
    provider: known.provider,
    operation: operation?.name ?? known.asked,
    action: operation?.action,
    resource: operation?.resource,
    decision: decision?.decision,
    reasons: decision?.reasons,
    grant_id: decision?.grant_id,
    policy_revision: decision?.policy_revision,
    tags: decision?.obligations.tags,
    params: known.params,
    customer: facts?.customer,
    // With the decision alone: the other rows of a call need no copy of it.
    spend: kind === 'decision' && spend.length > 0 ? spend : undefined,
    cost: facts?.amount?.value,
    currency: facts?.amount?.currency,
    ...own,
  })
}

/** Every refusal is one of these, before it is a reply. */
export function denialRow(known: Known, refusal: Refusal, now: Date): AuditEvent {
  const { code, detail, reasons } = refusal
  return row(
    'decision',
    known,
    {
      decision: known.decision?.decision === 'hold' ? 'hold' : 'deny',
      reason: code,
      reasons: reasons ?? [{ code, message: detail, rule: 'countersign' }],
      http_status: REFUSALS[code].status,
    },
    now,
  )
}

export function outcomeRow(known: Known, outcome: Outcome, now: Date): AuditEvent {
  const { kind, answer, detail, upstream_request_id, latency_ms } = outcome
  return row(
    'outcome',
    known,
    defined({
      outcome: kind,
      reason: detail,
      latency_ms,
      http_status: answer?.status,
      upstream_request_id,
      cost: kind === 'failed' && known.facts?.amount ? 0 : undefined,
    }),
    now,
  )
}

/** Fires with the reservation: before the money moves. */
export function alertRow(known: Known, { line, percent, committed }: SpendAlert, now: Date): AuditEvent {
  const { currency, cap, budget } = line
  const message = `${budget}: ${formatMoney({ value: committed, currency })} of ${formatMoney({ value: cap, currency })} committed, ${percent} % passed`
  return row(
    'alert',
    known,
    { reason: 'budget_threshold', reasons: [{ code: `budget_${percent}`, message, rule: budget }] },
    now,
  )
}
