/** What an earlier event with the same identity means for this call. */
import type { EventId } from '../model/id.ts'
import type { Identity } from '../model/journal.ts'
import { type Refusal, refuse } from '../model/refusal.ts'
import type { CallIdentity } from './identify.ts'

export type Prior =
  | { readonly kind: 'first' }
  /** The answer is the record's of this event, now or once it is there. */
  | { readonly kind: 'twin'; readonly event_id: EventId }

export interface Twin {
  readonly identity: Identity
  /** Of the params that the earlier event was made with. */
  readonly digest: string
  readonly event_id: EventId
}

/** The call id is asked first: the same id with other params is a conflict, whatever the fingerprint says. */
export function judgeTwins(call: CallIdentity, twins: readonly Twin[]): Prior | Refusal {
  const named = twins.find((twin) => twin.identity.kind === 'call_id')
  if (named && named.digest !== named.identity.digest)
    return refuse(
      'call_id_conflict',
      `The call id ${JSON.stringify(call.call_id)} belongs to event ${named.event_id}, which was made with another operation or other params.`,
    )
  if (named) return { kind: 'twin', event_id: named.event_id }
  const repeated = twins.find((twin) => twin.identity.kind === 'fingerprint')
  if (!repeated) return { kind: 'first' }
  if (call.mode === 'deny')
    return refuse(
      'duplicate_call',
      `Event ${repeated.event_id} made the same call in this ${call.run === undefined ? 'key' : 'run'}. For a wanted twin send occurrence ${call.occurrence + 1}.`,
    )
  return { kind: 'twin', event_id: repeated.event_id }
}
