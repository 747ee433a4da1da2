/** Open until the gateway ends: from then on, what is new is refused, and what is on its way comes to its end. */
import { Fault } from '../model/fault.ts'

export interface Gate {
  readonly closed: () => boolean
  close(): void
  /** The same work, refused with the fault `draining` once the gate is closed. */
  admitting<Input extends unknown[], Output>(
    work: (...input: Input) => Promise<Output>,
  ): (...input: Input) => Promise<Output>
}

export function createGate(): Gate {
  let closed = false
  return {
    closed: () => closed,
    close() {
      closed = true
    },
    admitting:
      (work) =>
      (...input) =>
        closed ? Promise.reject(new Fault('draining', 'the gateway is shutting down')) : work(...input),
  }
}
