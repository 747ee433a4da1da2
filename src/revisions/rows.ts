/** The audit rows of policies: each change before it takes effect, and each candidate that was refused. */
import { row } from '../audit/index.ts'
import { defined } from '../model/defined.ts'
import type { AuditEvent } from '../model/event.ts'
import { newEventId } from '../model/id.ts'
import type { PolicyChange, PolicyOrigin } from '../model/revision.ts'
import type { PolicyProblem, PolicyRefusal } from '../policy/index.ts'

const text = (tags: Readonly<Record<string, string | undefined>>) => defined(tags) as Record<string, string>

export function changedRow({ revision, previous, origin, by }: PolicyChange, now: Date): AuditEvent {
  const tags = text({ origin, by, from: previous ?? undefined, to: revision })
  return { ...row('policy_changed', { event_id: newEventId() }, { tags }, now), policy_revision: revision }
}

export interface Refused {
  readonly origin: PolicyOrigin
  readonly by: string
  /** What stays in force. */
  readonly from: string | undefined
  readonly refusal: PolicyRefusal
}

/** No decision: nothing changed. */
export function refusedRow({ origin, by, from, refusal }: Refused, now: Date): AuditEvent {
  const own = { reason: 'policy_refused', reasons: reasonsOf(refusal), tags: text({ origin, by, from }) }
  return { ...row('policy_changed', { event_id: newEventId() }, own, now), ...defined({ policy_revision: from }) }
}

export const reasonsOf = ({ problems }: PolicyRefusal) =>
  problems.map((problem) => ({ code: problem.code, message: problem.message, rule: placeOf(problem) }))

const placeOf = ({ file, row: line, col }: PolicyProblem): string =>
  [file, line, col].filter((part) => part !== undefined).join(':') || 'policy'
