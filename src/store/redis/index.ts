/**
 * The spend counters on Redis 7 (or Valkey), one server or a cluster. Promises: a reservation is one atomic step over all
 * its budgets, on any number of gateways; a Redis that lost its memory, or a part of it, admits nothing until the ledger
 * is folded back in; one that cannot be reached rejects within a second.
 */
import { randomBytes } from 'node:crypto'
import type { BudgetLine, CounterState } from '../../model/budget.ts'
import type { Admission, Admitted, Counters } from '../../model/counters.ts'
import type { EventId } from '../../model/id.ts'
import { alertsOf, assertExact, fenced, heldBy, reservedIn } from '../../model/reservation.ts'
import { link } from './connect.ts'
import { inOrder, keysOf } from './keys.ts'
import { CODES, type Reply, run, SCRIPTS } from './script.ts'
import { dropAt, fromStored, stage, toStored } from './staging.ts'

interface RedisCountersOptions {
  /** `redis://host:6379`, or a cluster: `redis://a,b,c?cluster=true`. */
  readonly url: string
  readonly log: { warn(fields: object, message: string): void }
}

export function createRedisCounters({ url, log }: RedisCountersOptions): Counters {
  const { connection, ready } = link(url)
  const self = randomBytes(12).toString('base64url')
  // Without a listener ioredis writes to the console. Each command rejects by itself; this is for whoever reads the log.
  connection.on('error', (error: Error) => log.warn({ reason: error.message }, 'redis connection'))

  const call = async (script: keyof typeof SCRIPTS, keys: readonly string[], args: readonly (string | number)[]) => {
    await ready()
    return await run(connection, SCRIPTS[script], keys, args)
  }

  return {
    async reserve({ organisation, event_id, identities, lines }: Admission): Promise<Admitted> {
      assertExact(lines)
      const reply = (await call('reserve', inOrder(keysOf(organisation)), [
        event_id,
        toStored(heldBy(lines), identities),
        identities.length,
        ...identities,
        ...lines.flatMap(({ counter, window, amount, cap, ends_at }) => [
          window === 'call' ? '' : counter,
          amount,
          cap,
          dropAt(ends_at),
        ]),
      ])) as Reply
      switch (reply[0]) {
        case CODES.reserve.reserved:
          return {
            kind: 'reserved',
            generation: Number(reply[1]),
            // A reservation that this event had already answers without states, and alerted then.
            alerts:
              reply.length === 2 ? [] : lines.flatMap((line, i) => alertsOf(line, stateAt(line, reply, 2 + 2 * i))),
          }
        case CODES.reserve.twin:
          return { kind: 'twin', event_id: reply[1] as EventId }
        case CODES.reserve.capped: {
          const line = lines[Number(reply[1])]!
          return { kind: 'capped', line, state: stateAt(line, reply, 2) }
        }
        case CODES.reserve.fenced:
          return { kind: 'fenced' }
        default:
          throw new Error(`reserve.lua answered with the unknown code ${reply[0]}`)
      }
    },

    async settle(organisation, event, spent, keep_ms) {
      assertExact(spent)
      const reply = await call('settle', inOrder(keysOf(organisation)), [
        event,
        keep_ms,
        ...spent.flatMap(({ counter, amount, ends_at }) => [counter, amount, dropAt(ends_at)]),
      ])
      return reply === CODES.settle.moved
    },

    async read(organisation, counters) {
      const reply = (await call('read', [keysOf(organisation).counters], counters)) as Reply
      if (reply[0] === CODES.read.fenced) throw fenced(organisation)
      return counters.map((counter, i) => stateAt({ counter }, reply, 1 + 2 * i))
    },

    async stale(organisation, age_ms) {
      const { open, opened } = keysOf(organisation)
      const reply = (await call('stale', [open, opened], [age_ms])) as string[]
      const found = []
      for (let i = 0; i < reply.length; i += 2) {
        found.push({ event_id: reply[i] as EventId, ...fromStored(reply[i + 1]!) })
      }
      return found
    },

    async startRehydration(organisation, above, lease_ms) {
      const { counters, lease } = keysOf(organisation)
      const reply = await call('startRehydration', [counters, lease], [self, above, lease_ms])
      switch (reply) {
        case CODES.startRehydration.open:
          return 'open'
        case CODES.startRehydration.busy:
          return 'busy'
        case CODES.startRehydration.yours:
          return 'yours'
        default:
          throw new Error(`start-rehydration.lua answered with the unknown code ${reply}`)
      }
    },

    async rehydrate(organisation, generation, states, open) {
      await ready()
      const keys = keysOf(organisation)
      const staged = await stage(connection, keys, reservedIn(states, open), open)
      const reply = await call(
        'openFence',
        [...inOrder(keys), ...staged.keys, keys.lease],
        [generation, ...staged.counts],
      )
      return reply !== CODES.openFence.lost
    },

    async ping() {
      await ready()
      await connection.ping()
    },

    /** What was told last is heard first: a settlement that no reply waited for. */
    async close() {
      await connection.quit().catch(() => connection.disconnect())
    },
  }
}

function stateAt({ counter }: Pick<BudgetLine, 'counter'>, reply: Reply, at: number): CounterState {
  return { counter, spent: Number(reply[at]), reserved: Number(reply[at + 1]) }
}
