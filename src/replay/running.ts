/** Waiting for a twin that is still on its way, here or at another gateway. */
import type { EventId } from '../model/id.ts'
import type { CallRecord } from '../model/journal.ts'

const POLL_MS = 50
/**
 * How long a twin waits for a first that holds its claim and has no record. Between the two lie milliseconds, so one that
 * takes longer has most likely died there: its twin asks again, until recovery has given the claim up.
 */
const UNWRITTEN_MS = 1_000

export interface RunningCalls {
  /** Called by the first: its twins wait for what it comes to. */
  track<Result>(event: EventId, call: () => Promise<Result>): Promise<Result>
  /**
   * The record once it is no longer running, or as it stands when `wait_ms` are over. Null: the call came to nothing, or
   * has been between its claim and its commit at another gateway for a second.
   */
  settled(event: EventId, wait_ms: number): Promise<CallRecord | null>
}

/**
 * `look` reads the journal: the truth about a call that runs at another gateway. A call that runs here is awaited, not
 * polled for, and its many twins share one look.
 */
export function running(look: (event: EventId) => Promise<CallRecord | null>): RunningCalls {
  const here = new Map<EventId, Promise<unknown>>()
  const waiting = new Map<EventId, Promise<CallRecord | null>>()

  async function wait(event: EventId, wait_ms: number): Promise<CallRecord | null> {
    const began = Date.now()
    for (;;) {
      const first = here.get(event)
      if (first) await Promise.race([first, sleep(began + wait_ms - Date.now())])
      const record = await look(event)
      const over = first && !here.has(event)
      const patience_ms = record || first ? wait_ms : Math.min(wait_ms, UNWRITTEN_MS)
      if (over || (record && record.state !== 'running') || Date.now() >= began + patience_ms) return record
      await sleep(POLL_MS)
    }
  }

  return {
    track(event, call) {
      const ended = call().finally(() => here.delete(event))
      here.set(
        event,
        ended.catch(() => undefined),
      )
      return ended
    },
    settled(event, wait_ms) {
      const shared = waiting.get(event)
      if (shared) return shared
      const fresh = wait(event, wait_ms).finally(() => waiting.delete(event))
      waiting.set(event, fresh)
      return fresh
    },
  }
}

const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, Math.max(0, ms)).unref())
