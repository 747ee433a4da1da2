/** Gateways that rebuild their counters from the ledger while calls go on, whatever Redis forgets in the meantime. */
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Held } from '../../src/model/budget.ts'
import type { Counters, OpenReservation } from '../../src/model/counters.ts'
import { type EventId, newEventId } from '../../src/model/id.ts'
import { heldBy } from '../../src/model/reservation.ts'
import { createRehydration } from '../../src/spend/index.ts'
import { createMemoryCounters } from '../../src/store/memory/index.ts'
import { createRedisCounters } from '../../src/store/redis/index.ts'
import { type RedisService, startRedis } from '../services/redis.ts'
import { line } from './play.ts'

/** The ledger's rules in the least code: an intent of an older generation is refused; a fold is one snapshot. */
class Ledger {
  generation = 0
  raised = 0
  readonly spent = new Map<string, number>()
  readonly open = new Map<EventId, readonly Held[]>()
  readonly settled = new Map<EventId, readonly Held[]>()
  /** The most that was ever committed to the counter `a`. */
  peak = 0

  async raiseGeneration(): Promise<number> {
    await turn()
    this.raised++
    return ++this.generation
  }
  async fold() {
    await turn()
    const open: OpenReservation[] = [...this.open].map(([event_id, held]) => ({ event_id, held, identities: [] }))
    const states = [...this.counters()].map((counter) => ({
      counter,
      spent: this.spent.get(counter) ?? 0,
      reserved: this.reserved(counter),
    }))
    await turn()
    return { states, open }
  }
  async commitIntent(event: EventId, generation: number, held: readonly Held[]): Promise<'committed' | 'fenced'> {
    await turn()
    if (generation < this.generation) return 'fenced'
    this.open.set(event, held)
    this.peak = Math.max(this.peak, (this.spent.get('a') ?? 0) + this.reserved('a'))
    return 'committed'
  }
  async commitOutcome(event: EventId, spent: readonly Held[]): Promise<void> {
    await turn()
    this.open.delete(event)
    this.settled.set(event, spent)
    for (const { counter, amount } of spent) this.spent.set(counter, (this.spent.get(counter) ?? 0) + amount)
  }
  reserved(counter: string): number {
    return [...this.open.values()]
      .flat()
      .filter((held) => held.counter === counter)
      .reduce((sum, { amount }) => sum + amount, 0)
  }
  private counters(): Set<string> {
    return new Set([...this.spent.keys(), ...[...this.open.values()].flat().map(({ counter }) => counter)])
  }
}

const turn = () => new Promise((resume) => setTimeout(resume, Math.random() * 3))

/** One call, as the story does it; true when it had its effect. Fenced calls are tried again, as their agents would. */
async function callOn(
  counters: Counters,
  rehydrate: (organisation: string, refused?: number) => Promise<void>,
  ledger: Ledger,
  amount: number,
): Promise<boolean> {
  for (;;) {
    const event_id = newEventId()
    const lines = [line({ on: 'a', amount, cap: 1000 })]
    const admitted = await counters.reserve({ organisation: 'acme', event_id, identities: [], lines })
    if (admitted.kind === 'capped') return false
    if (admitted.kind !== 'reserved') {
      await rehydrate('acme')
      continue
    }
    const held = heldBy(lines)
    if ((await ledger.commitIntent(event_id, admitted.generation, held)) === 'fenced') {
      await counters.settle('acme', event_id, [], 0)
      await rehydrate('acme', admitted.generation)
      continue
    }
    await turn()
    await ledger.commitOutcome(event_id, held)
    await counters.settle('acme', event_id, held, 0)
    return true
  }
}

describe('in memory', () => {
  it('rehydrates once for all who ask at the same time, and not at all where the fence is open', async () => {
    const ledger = new Ledger()
    const rehydrate = createRehydration({ counters: createMemoryCounters(), journal: ledger })
    await Promise.all(Array.from({ length: 20 }, () => rehydrate('acme')))
    await rehydrate('acme')
    expect(ledger.raised).toBe(1)
  })

  it('rehydrates again when the journal refused the generation that the fence is open under', async () => {
    const ledger = new Ledger()
    const counters = createMemoryCounters()
    const rehydrate = createRehydration({ counters, journal: ledger })
    await rehydrate('acme')
    await rehydrate('acme', 1)
    expect(ledger.generation).toBe(2)
    const lines = [line({ on: 'a', amount: 1, cap: 10 })]
    const admission = { organisation: 'acme', event_id: newEventId(), identities: [], lines }
    expect(await counters.reserve(admission)).toMatchObject({ kind: 'reserved', generation: 2 })
  })

  it('leaves the fence closed when the ledger cannot be read, and opens it when it can', async () => {
    const ledger = new Ledger()
    const counters = createMemoryCounters()
    let broken = true
    const journal = {
      raiseGeneration: () => ledger.raiseGeneration(),
      fold: () => (broken ? Promise.reject(new Error('the ledger is away')) : ledger.fold()),
    }
    const rehydrate = createRehydration({ counters, journal })
    await expect(rehydrate('acme')).rejects.toThrow('the ledger is away')
    const admission = { organisation: 'acme', event_id: newEventId(), identities: [], lines: [] }
    expect((await counters.reserve(admission)).kind).toBe('fenced')
    broken = false
    await rehydrate('acme')
    expect((await counters.reserve(admission)).kind).toBe('reserved')
  })
})

describe('two gateways on Redis', () => {
  let service: RedisService
  let gateways: readonly [Counters, Counters]
  beforeAll(async () => {
    service = await startRedis()
    const make = () => createRedisCounters({ url: service.url, log: console })
    gateways = [make(), make()]
  })
  afterAll(async () => {
    await Promise.all(gateways.map((counters) => counters.close()))
    await service.remove()
  })

  it('pass no cap and lose no spend while Redis is flushed again and again', async () => {
    const ledger = new Ledger()
    const rehydrations = gateways.map((counters) => createRehydration({ counters, journal: ledger }))
    const admin = new Redis(service.url)
    let over = false
    let flushes = 0
    const flushing = (async () => {
      while (!over) {
        await new Promise((resume) => setTimeout(resume, 30))
        await admin.flushall()
        flushes++
      }
    })()

    const effects: boolean[] = []
    const agents = Array.from({ length: 16 }, async (_, i) => {
      for (let n = 0; n < 12; n++) {
        effects.push(await callOn(gateways[i % 2]!, rehydrations[i % 2]!, ledger, 10))
      }
    })
    await Promise.all(agents)
    over = true
    await flushing
    admin.disconnect()

    expect(flushes).toBeGreaterThan(0)
    expect(ledger.peak).toBeLessThanOrEqual(1000)
    expect(ledger.spent.get('a')).toBe(10 * effects.filter((had) => had).length)

    // A settlement that fell between a fold and its opening left its reservation behind: more is held than should be,
    // never less, until recovery finds it. After that the counters are the ledger's fold, and the rest can be spent.
    await rehydrations[0]!('acme')
    for (const { event_id } of await gateways[0].stale('acme', 0)) {
      await gateways[0].settle('acme', event_id, ledger.settled.get(event_id) ?? [], 0)
    }
    expect(await gateways[1].read('acme', ['a'])).toEqual([{ counter: 'a', spent: ledger.spent.get('a'), reserved: 0 }])
    while (await callOn(gateways[0], rehydrations[0]!, ledger, 10));
    expect(await gateways[1].read('acme', ['a'])).toEqual([{ counter: 'a', spent: 1000, reserved: 0 }])
  })

  it('come to an end when each makes the other stale, without raising the generation over and over', async () => {
    const ledger = new Ledger()
    const rehydrations = gateways.map((counters) => createRehydration({ counters, journal: ledger }))
    await service.flush()
    await Promise.all(Array.from({ length: 20 }, (_, i) => rehydrations[i % 2]!('acme')))
    expect(ledger.raised).toBe(1)
  })
})
