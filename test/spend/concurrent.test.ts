/** settled + reserved ≤ cap at every admission, whatever runs at once, on any number of gateways. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Counters } from '../../src/model/counters.ts'
import { type EventId, newEventId } from '../../src/model/id.ts'
import { createMemoryCounters } from '../../src/store/memory/index.ts'
import { createRedisCounters } from '../../src/store/redis/index.ts'
import { type RedisService, startRedis } from '../services/redis.ts'
import { line } from './play.ts'

const CAPS: Readonly<Record<string, number>> = { a: 50, b: 30, c: 0 }

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('reserve' as const),
      event: fc.nat(7),
      counters: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }),
      amount: fc.nat(25),
      identity: fc.option(fc.nat(3), { nil: undefined }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      event: fc.nat(7),
      spent: fc.dictionary(fc.constantFrom('a', 'b'), fc.nat(25)),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** What the counters should do, in the plainest terms: a list of open reservations and of what was spent. */
class Model {
  readonly open = new Map<number, { held: Record<string, number>; identity: number | undefined }>()
  readonly spent: Record<string, number> = { a: 0, b: 0, c: 0 }
  reserved(counter: string): number {
    return [...this.open.values()].reduce((sum, { held }) => sum + (held[counter] ?? 0), 0)
  }
  play(one: Step): string | boolean {
    if (one.kind === 'settle') {
      if (!this.open.delete(one.event)) return false
      for (const [counter, amount] of Object.entries(one.spent)) this.spent[counter]! += amount
      return true
    }
    const { event, counters, amount, identity } = one
    const holder = [...this.open].find(([, open]) => identity !== undefined && open.identity === identity)
    if (holder !== undefined && holder[0] !== event) return `twin ${holder[0]}`
    if (this.open.has(event)) return 'reserved'
    const over = counters.find((on) => amount > 0 && this.spent[on]! + this.reserved(on) + amount > CAPS[on]!)
    if (over !== undefined) return `capped ${over}`
    const held = amount === 0 ? {} : Object.fromEntries(counters.map((on) => [on, amount]))
    if (Object.keys(held).length > 0 || identity !== undefined) this.open.set(event, { held, identity })
    return 'reserved'
  }
}

async function playOn(counters: Counters, organisation: string, events: readonly EventId[], one: Step) {
  if (one.kind === 'settle') {
    const spent = Object.entries(one.spent).map(([counter, amount]) => ({ counter, amount }))
    return await counters.settle(organisation, events[one.event]!, spent, 0)
  }
  const answer = await counters.reserve({
    organisation,
    event_id: events[one.event]!,
    identities: one.identity === undefined ? [] : [`i${one.identity}`],
    lines: one.counters.map((on) => line({ on, amount: one.amount, cap: CAPS[on]! })),
  })
  if (answer.kind === 'twin') return `twin ${events.indexOf(answer.event_id)}`
  if (answer.kind === 'capped') return `capped ${answer.line.counter}`
  return answer.kind
}

let service: RedisService
beforeAll(async () => {
  service = await startRedis()
})
afterAll(() => service.remove())

const stores: readonly [string, () => readonly [Counters, Counters]][] = [
  [
    'in memory',
    () => {
      const counters = createMemoryCounters()
      return [counters, counters]
    },
  ],
  [
    'on Redis, from two gateways',
    () => [
      createRedisCounters({ url: service.url, log: console }),
      createRedisCounters({ url: service.url, log: console }),
    ],
  ],
]

describe.each(stores)('%s', (_name, make) => {
  let gateways: readonly [Counters, Counters]
  let organisations = 0
  beforeAll(() => {
    gateways = make()
  })
  afterAll(() => Promise.all(gateways.map((counters) => counters.close())))

  const fresh = async () => {
    const organisation = `org ${++organisations}`
    await gateways[0].rehydrate(organisation, 1, [], [])
    return organisation
  }

  it('admits exactly ten of a hundred calls at once against budget for ten', async () => {
    const organisation = await fresh()
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        gateways[i % 2]!.reserve({
          organisation,
          event_id: newEventId(),
          identities: [`call ${i}`],
          lines: [line({ on: 'a', amount: 500, cap: 5000 }), line({ on: 'b', amount: 500, cap: 100_000 })],
        }),
      ),
    )
    expect(answers.filter(({ kind }) => kind === 'reserved')).toHaveLength(10)
    expect(answers.filter(({ kind }) => kind === 'capped')).toHaveLength(90)
    expect(await gateways[1].read(organisation, ['a', 'b'])).toEqual([
      { counter: 'a', spent: 0, reserved: 5000 },
      { counter: 'b', spent: 0, reserved: 5000 },
    ])
  })

  it('lets one of fifty twins reserve, and tells the others whose it is', async () => {
    const organisation = await fresh()
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const event_id = newEventId()
        const lines = [line({ on: 'a', amount: 1, cap: 100 })]
        return {
          event_id,
          answer: await gateways[i % 2]!.reserve({ organisation, event_id, identities: ['one call'], lines }),
        }
      }),
    )
    const first = answers.filter(({ answer }) => answer.kind === 'reserved')
    expect(first).toHaveLength(1)
    const told = answers.flatMap(({ answer }) => (answer.kind === 'twin' ? [answer.event_id] : []))
    expect(told).toEqual(Array.from({ length: 49 }, () => first[0]!.event_id))
  })

  it('does what the plainest model does, over any sequence of steps', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const organisation = await fresh()
        const events = Array.from({ length: 8 }, newEventId)
        const model = new Model()
        for (const [i, one] of steps.entries()) {
          const expected = model.play(one)
          expect(await playOn(gateways[i % 2]!, organisation, events, one)).toBe(expected)
        }
        const states = await gateways[0].read(organisation, ['a', 'b', 'c'])
        expect(states).toEqual(
          ['a', 'b', 'c'].map((counter) => ({
            counter,
            spent: model.spent[counter],
            reserved: model.reserved(counter),
          })),
        )
      }),
      { numRuns: 100 },
    )
  })

  it('never passes a cap while calls reserve, settle and release in any interleaving', async () => {
    const call = fc.record({
      amount: fc.integer({ min: 1, max: 30 }),
      share: fc.integer({ min: 0, max: 100 }),
      counters: fc.uniqueArray(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 2 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 5, maxLength: 40 }), async (calls) => {
        const organisation = await fresh()
        const settled: Record<string, number> = { a: 0, b: 0 }
        await Promise.all(
          calls.map(async ({ amount, share, counters }, i) => {
            const gateway = gateways[i % 2]!
            const event_id = newEventId()
            const lines = counters.map((on) => line({ on, amount, cap: CAPS[on]! }))
            const answer = await gateway.reserve({ organisation, event_id, identities: [], lines })
            if (answer.kind !== 'reserved') return
            for (const state of await gateway.read(organisation, counters)) {
              expect(state.spent + state.reserved).toBeLessThanOrEqual(CAPS[state.counter]!)
            }
            const spent = Math.floor((amount * share) / 100)
            for (const on of counters) settled[on]! += spent
            const moved = counters.map((counter) => ({ counter, amount: spent }))
            expect(await gateway.settle(organisation, event_id, moved, 0)).toBe(true)
          }),
        )
        expect(await gateways[0].read(organisation, ['a', 'b'])).toEqual([
          { counter: 'a', spent: settled.a, reserved: 0 },
          { counter: 'b', spent: settled.b, reserved: 0 },
        ])
      }),
      { numRuns: 50 },
    )
  })
})
