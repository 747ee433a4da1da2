/** A twin waits for the first. */
import { type Known, row } from '../audit/index.ts'
import type { Reply } from '../model/call.ts'
import { defined } from '../model/defined.ts'
import type { EventId } from '../model/id.ts'
import type { CallRecord } from '../model/journal.ts'
import { isRefusal, type Refusal } from '../model/refusal.ts'
import { type CallIdentity, judgeTwins } from '../replay/index.ts'
import type { Rooms } from '../rooms.ts'
import { fromRecord } from './reply.ts'

/**
 * The first call's answer, from its record, once it is there. A twin that joined a running call shares whatever it comes
 * to, a declined card included. Null: the first came to nothing, and this call may be the first now.
 */
export async function join(
  rooms: Rooms,
  known: Known,
  identity: CallIdentity,
  first: EventId,
): Promise<Reply | Refusal | null> {
  const record = await rooms.running.settled(first, rooms.settings.join_ms)
  if (!record) return null
  // Two that raced met by name alone: whether they are one call is asked of what the first has written down.
  const prior = judgeTwins(identity, twinsIn(record, identity))
  if (isRefusal(prior)) return prior
  const reply = fromRecord(rooms, known.operation!, record)
  // The first's params, which are the same: what policy had redacted in them stays so.
  const told = reply.kind === 'answered' ? { http_status: reply.answer.status } : { reason: reply.refusal.code }
  await rooms.journal.append([
    row(
      'replay',
      { ...known, event_id: first, ...defined({ params: record.event.params }) },
      { ...told, outcome: record.state, cost: 0 },
      rooms.now(),
    ),
  ])
  return reply
}

const twinsIn = ({ identities, event_id }: CallRecord, call: CallIdentity) =>
  call.identities.flatMap((identity) => {
    const held = identities.find(({ name }) => name === identity.name)
    return held ? [{ identity, digest: held.digest, event_id }] : []
  })
