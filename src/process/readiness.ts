/** `/readyz`: whether a call could be decided, reserved and recorded now, and which part stands in the way. */
import type { PolicyStore } from '../policy/index.ts'
import type { revisions } from '../revisions/index.ts'
import type { Gate } from './gate.ts'
import type { Stores } from './stores.ts'

interface Parts {
  readonly gate: Gate
  readonly stores: Stores
  readonly policies: PolicyStore
  readonly history: ReturnType<typeof revisions>
}

export const readinessOf =
  ({ gate, stores, policies, history }: Parts) =>
  async () => {
    const [audit, counters] = await Promise.all([told(stores.journal.ping()), told(stores.counters.ping())])
    const draining = gate.closed()
    return {
      ready: !draining && audit === 'ok' && counters === 'ok',
      draining,
      audit,
      counters,
      policy_revision: policies.current().revision,
      policy: history.status(),
      engine: stores.engine,
    }
  }

const told = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    () => 'ok',
    (error: Error) => `unavailable: ${error.message}`,
  )
