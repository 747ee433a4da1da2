/** The reply when a part failed. */
import { denialRow, type Known } from '../audit/index.ts'
import type { Reply } from '../model/call.ts'
import { defined } from '../model/defined.ts'
import { REFUSALS, type RefusalCode, refuse } from '../model/refusal.ts'
import type { Rooms } from '../rooms.ts'
import { COUNTERS_LOST } from './reserve.ts'

/** The reply when a part failed. Where the audit store is not that part, the refusal is written down like any other. */
export async function faulted(rooms: Rooms, known: Known, code: RefusalCode): Promise<Reply> {
  if (code === 'counters_rehydrating' && known.key) rooms.rehydrate(known.key.organisation)
  const refusal = refuse(code, FAULT_DETAIL[code] ?? `${REFUSALS[code].title}.`)
  if (code !== 'audit_unavailable' && code !== 'outcome_unknown') {
    try {
      await rooms.journal.append([denialRow(known, refusal, rooms.now())])
    } catch (fault) {
      rooms.onFault(known.event_id, fault)
      return faulted(rooms, known, 'audit_unavailable')
    }
  }
  return { kind: 'refused', event_id: known.event_id, refusal, ...defined({ operation: known.operation }) }
}

const FAULT_DETAIL: Partial<Record<RefusalCode, string>> = {
  audit_unavailable:
    'The database did not take the audit row, and without it nothing is sent. Send the same call again with the same call id: it joins whatever was written down.',
  counters_unavailable: 'Redis did not answer, so no spend could be reserved and nothing was sent.',
  counters_rehydrating: COUNTERS_LOST,
  policy_unavailable: 'The policy in force failed on this call, so nothing was sent.',
  outcome_unknown:
    'The call was sent, and what came of it could not be recorded yet. The gateway brings it to its end.',
}
