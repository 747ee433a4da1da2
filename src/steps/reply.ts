/** The reply: of this call's own outcome, or from the record of one that was made before. */
import { actualCost } from '../catalogue/index.ts'
import type { Answered, Refused, Reply } from '../model/call.ts'
import { defined } from '../model/defined.ts'
import type { AuditEvent } from '../model/event.ts'
import type { EventId } from '../model/id.ts'
import type { CallRecord } from '../model/journal.ts'
import type { Money } from '../model/money.ts'
import type { Facts, Operation } from '../model/operation.ts'
import type { Outcome } from '../model/outcome.ts'
import { type RefusalCode, refuse } from '../model/refusal.ts'
import type { Rooms } from '../rooms.ts'
import { openAnswer } from './sealed.ts'

export function replyTo(event_id: EventId, operation: Operation, outcome: Outcome, facts: Facts): Reply {
  const { kind, answer } = outcome
  const refused = (code: RefusalCode): Refused => ({
    ...{ kind: 'refused', event_id, operation },
    refusal: refuse(code, outcome.detail),
  })
  if (kind === 'unknown') return refused('outcome_unknown')
  if (!answer) return refused('upstream_failed')
  const cost = defined({ amount: actualCost(operation, facts.amount, answer) })
  return { kind: 'answered', event_id, replayed: false, operation, answer, ...(kind === 'succeeded' && costOf(cost)) }
}

/** What the call was reserved for, as its decision row says. */
export const reservedFor = ({ cost, currency }: AuditEvent): Money | undefined =>
  cost === undefined || currency === undefined ? undefined : { value: cost, currency }

export const costOf = ({ amount }: Facts): { cost?: Money } => (amount ? { cost: amount } : {})

/** The reply where another gateway has ended the call meanwhile: its outcome stands, whatever came of this sending. */
export async function recorded(rooms: Rooms, operation: Operation, event_id: EventId): Promise<Reply> {
  const record = await rooms.journal.call(event_id)
  if (!record) throw new Error(`event ${event_id} has an outcome and no intent`)
  return fromRecord(rooms, operation, record)
}

export function fromRecord(rooms: Rooms, operation: Operation, record: CallRecord): Answered | Refused {
  const { event_id, state, event } = record
  const refused = (code: RefusalCode, detail: string): Refused => ({
    ...{ kind: 'refused', event_id, operation },
    refusal: refuse(code, detail),
  })
  if (state === 'running')
    return refused('call_in_flight', `Event ${event_id} has made this call and waits for its outcome.`)
  if (state === 'unknown')
    return refused('outcome_unknown', `Event ${event_id} was sent, and its outcome is not known yet.`)
  const answer = openAnswer(rooms.bodies, record)
  if (!answer) return refused('upstream_failed', `Event ${event_id} did not reach the provider.`)
  const cost = defined({ amount: actualCost(operation, reservedFor(event), answer) })
  return { kind: 'answered', event_id, replayed: true, operation, answer, ...(state === 'succeeded' && costOf(cost)) }
}
