/** Waiting for what time alone decides: a human's yes to a held call, or an outcome that nobody knows yet. */
import { ConflictError, CountersignError, HeldError, UnknownOutcomeError } from './errors.ts'
import { type Reply, replyOfRecord } from './reply.ts'
import { backoffMs, mayRepeat, sleep } from './retry.ts'
import type { CallRecord } from './types.ts'

/** The error tells of a call that the gateway has, and whose end it will know. */
export const isOpen = (reply: Reply): reply is CountersignError & { readonly eventId: string } =>
  (reply instanceof HeldError ||
    reply instanceof UnknownOutcomeError ||
    (reply instanceof ConflictError && reply.code === 'call_in_flight')) &&
  reply.eventId !== undefined

/** Polls the record until it is finished; `open` itself where `until` (a `performance.now()`) comes first. */
export async function waitForEnd(
  open: CountersignError & { readonly eventId: string },
  read: (eventId: string, timeoutMs: number) => Promise<CallRecord | CountersignError>,
  until: number,
  signal?: AbortSignal,
): Promise<Reply | 'again'> {
  for (let polls = 0; ; polls++) {
    const left = until - performance.now()
    if (left <= 0) return open
    await sleep(Math.min(left, backoffMs(Math.min(polls, 3), Math.random())), signal)
    const record = await read(open.eventId, Math.max(1, until - performance.now()))
    if (record instanceof CountersignError) {
      if (mayRepeat(record)) continue
      return open
    }
    const end = replyOfRecord(record, open.callId ?? '')
    if (end !== undefined) return end
  }
}
