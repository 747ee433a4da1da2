/** Long work in small pieces: thousands of files must leave turns to live calls. */
import { setImmediate as nextTurn } from 'node:timers/promises'

const TURN_MS = 2

/** To be awaited between two pieces: gives the turn away once this work has had its time. */
export function pausing(): () => Promise<void> | undefined {
  let began = performance.now()
  return () => {
    if (performance.now() - began < TURN_MS) return undefined
    return nextTurn().then(() => {
      began = performance.now()
    })
  }
}
