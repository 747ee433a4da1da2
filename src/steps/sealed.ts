/** Requests and answers as the journal keeps them: encrypted, each bound to its event. */
import type { Sealer } from '../identity/index.ts'
import type { EventId } from '../model/id.ts'
import type { WireRequest } from '../model/intent.ts'
import type { CallRecord } from '../model/journal.ts'
import type { Answer } from '../model/outcome.ts'

const requestPlace = (event: EventId): string => `request ${event}`
const answerPlace = (event: EventId): string => `answer ${event}`

export const sealRequest = (bodies: Sealer, event: EventId, wire: WireRequest): Buffer =>
  bodies.seal(JSON.stringify(wire), requestPlace(event))

export const openRequest = (bodies: Sealer, record: CallRecord): WireRequest =>
  JSON.parse(bodies.open(record.sealed_request, requestPlace(record.event_id)))

export const sealAnswer = (bodies: Sealer, event: EventId, answer: Answer): Buffer =>
  bodies.seal(JSON.stringify(answer), answerPlace(event))

export const openAnswer = (bodies: Sealer, { event_id, sealed_answer }: CallRecord): Answer | undefined =>
  sealed_answer && JSON.parse(bodies.open(sealed_answer, answerPlace(event_id)))
