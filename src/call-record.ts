/** `GET /v1/calls/{event_id}`: what became of a call, for the key's own organisation and agent. */
import { actualCost } from './catalogue/index.ts'
import type { VaultKey } from './model/agent.ts'
import type { EventId } from './model/id.ts'
import type { Answer } from './model/outcome.ts'
import { isRefusal } from './model/refusal.ts'
import type { Rooms } from './rooms.ts'
import { openAnswer, reservedFor } from './steps/index.ts'

export async function callRecord(rooms: Rooms, key: VaultKey, event_id: EventId): Promise<object | null> {
  const record = await rooms.journal.call(event_id)
  if (!record) return denied(rooms, key, event_id)
  const { organisation, state, provider, operation, event } = record
  if (organisation !== key.organisation || event.agent !== key.agent.id) return null
  const common = { event_id, state, decision: 'allow', provider, operation, at: event.ts }
  const answer = openAnswer(rooms.bodies, record)
  const resolved = rooms.catalogue.resolve(provider, operation)
  const reserved = reservedFor(event)
  const cost = isRefusal(resolved) ? reserved : actualCost(resolved, reserved, answer)
  return {
    ...common,
    ...(answer && told(answer)),
    ...(state === 'succeeded' && cost && { cost: { amount: cost.value, currency: cost.currency } }),
  }
}

const told = ({ status, body }: Answer) => (status < 300 ? { status, data: body } : { status, error: body })

/** A refused call has no intent, and its decision row is all there is. */
async function denied(rooms: Rooms, key: VaultKey, event_id: EventId): Promise<object | null> {
  const [event] = await rooms.journal.query({ event_id, limit: 1 })
  if (!event || event.organisation !== key.organisation || event.agent !== key.agent.id) return null
  const { provider, operation, decision, reason, reasons = [], ts } = event
  return { event_id, state: 'denied', decision, provider, operation, reason, reasons, at: ts }
}
