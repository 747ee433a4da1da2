/** The story's replies as HTTP answers: as Countersign's own document, or as the provider would have answered. */
import type { Answered, Judged } from '../model/call.ts'

/** A provider's redirect or worse-than-nothing status is not ours to give. */
const BAD_GATEWAY = 502

export function asData(reply: Answered | Judged): Response {
  const { event_id, cost } = reply
  const money = cost && { cost: { amount: cost.value, currency: cost.currency } }
  if (reply.kind === 'judged') {
    const { decision, ...rest } = reply.decision
    return json(200, { event_id, decision, dry_run: true, ...rest, ...money }, headersOf(reply))
  }
  const { answer, replayed } = reply
  const common = { event_id, decision: 'allow', replayed, status: answer.status }
  return isSuccess(answer.status)
    ? json(200, { ...common, data: answer.body, ...money }, headersOf(reply))
    : json(answer.status >= 400 ? answer.status : BAD_GATEWAY, { ...common, error: answer.body }, headersOf(reply))
}

export function asProvider(reply: Answered | Judged): Response {
  if (reply.kind === 'judged') return asData(reply)
  const { status, body, headers } = reply.answer
  const final = status >= 400 ? { 'stripe-should-retry': 'false' } : {}
  return json(isSuccess(status) || status >= 400 ? status : BAD_GATEWAY, body, {
    ...headers,
    ...(reply.operation.provider === 'stripe' && final),
    ...headersOf(reply),
  })
}

const isSuccess = (status: number): boolean => status >= 200 && status < 300

const headersOf = (reply: Answered | Judged): Record<string, string> => ({
  'countersign-event-id': reply.event_id,
  'countersign-decision': reply.kind === 'judged' ? reply.decision.decision : 'allow',
  ...(reply.kind === 'answered' && reply.replayed && { 'countersign-replayed': 'true' }),
})

const json = (status: number, body: unknown, headers: Record<string, string>): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } })
