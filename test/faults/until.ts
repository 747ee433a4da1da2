/** Waiting with an end: for a condition, never for a time. */
import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 50

/** Asks until the answer is neither undefined nor false. Throws with `what` and the last error when `within_ms` are over. */
export async function until<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined | false> | Answer | undefined | false,
  within_ms = 30_000,
): Promise<Answer> {
  const deadline = Date.now() + within_ms
  let last: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
      last = answer
    } catch (error) {
      last = error
    }
    if (Date.now() >= deadline) throw new Error(`waited ${within_ms} ms in vain: ${what} (last: ${String(last)})`)
    await delay(POLL_MS)
  }
}
