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

/** Work whose pieces are the steps of a generator: done with a pause wherever it has had its time, or without any. */
export async function inTurns<T>(steps: Generator<void, T>): Promise<T> {
  const pause = pausing()
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done) return step.value
    await pause()
  }
}

export function atOnce<T>(steps: Generator<void, T>): T {
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value
}
