/** Watches the ports of every gateway of a world: what the invariants say of a moment cannot be seen afterwards. */
import type { GatewayOptions } from '../../src/main.ts'
import type { Counters } from '../../src/model/counters.ts'
import type { Intent } from '../../src/model/intent.ts'
import type { Journal } from '../../src/model/journal.ts'

export interface Watch {
  /** For one gateway. */
  around(): NonNullable<GatewayOptions['around']>
  /** Of the first gateway: the ledger and its mirror. */
  journal(): Journal
  counters(): Counters
  /** Sentences: what was wrong, and of which event. */
  readonly violations: string[]
}

export function watchPorts(): Watch {
  const violations: string[] = []
  let journal: Journal | undefined
  let counters: Counters | undefined

  return {
    violations,
    journal: () => journal!,
    counters: () => counters!,
    around() {
      let own: Journal | undefined
      return (name, port) => {
        if (name === 'journal') {
          own = port as unknown as Journal
          journal ??= own
          return port
        }
        if (name === 'counters') {
          counters ??= port as unknown as Counters
          return withMethod(port, 'reserve', async (reserve: Counters['reserve'], admission) => {
            const admitted = await reserve(admission)
            if (admitted.kind !== 'reserved') return admitted
            const lines = admission.lines.filter(({ window }) => window !== 'call')
            const states = await (port as unknown as Counters).read(
              admission.organisation,
              lines.map(({ counter }) => counter),
            )
            for (const [at, { cap, counter }] of lines.entries()) {
              const { spent, reserved } = states[at]!
              if (spent + reserved > cap)
                violations.push(
                  `${admission.event_id} was admitted with ${spent} + ${reserved} over the cap ${cap} of ${counter}`,
                )
            }
            return admitted
          })
        }
        return withMethod(port, 'send', async (send: (intent: Intent) => Promise<unknown>, intent: Intent) => {
          const record = await own!.call(intent.event_id)
          if (record === null) violations.push(`${intent.event_id} left before its intent was committed`)
          else if (record.event.decision !== 'allow') violations.push(`${intent.event_id} left without an allow row`)
          return send(intent)
        })
      }
    },
  }
}

/** The same port with one method behind another. */
function withMethod<Port extends object, Method extends (...input: never[]) => unknown>(
  port: Port,
  name: string,
  instead: (method: Method, ...input: Parameters<Method>) => unknown,
): Port {
  return new Proxy(port, {
    get(target, member) {
      const method: unknown = Reflect.get(target, member)
      if (member !== name) return typeof method === 'function' ? method.bind(target) : method
      return (...input: Parameters<Method>) => instead((method as Method).bind(target) as Method, ...input)
    },
  })
}
