/** What agents do at once and over and over, and what must come of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { POLICY } from '../cases/policy.ts'
import { checkInvariants, now } from './invariants.ts'
import { type Answered, ENGINES, openWorld, type World } from './world.ts'

const CASHIER = { id: 'till-1', role: 'cashier' }
/** Each organisation: $2000 a day. */
const CONFIG = { budgets: [{ scope: 'organisation', window: 'day', cap: 200_000, currency: 'usd' }] }

const tally = (answers: readonly Answered[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { status, body } of answers) {
    const name = status === 200 ? (body.replayed ? 'replayed' : 'made') : body.code
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

const times = <Item>(count: number, make: (at: number) => Item): Item[] =>
  Array.from({ length: count }, (_, at) => make(at))

describe.each(ENGINES)('on %s', (engine) => {
  let world: World
  beforeAll(async () => {
    world = await openWorld(engine, { policy: POLICY, config: CONFIG })
    if (engine === 'servers') await world.addGateway()
  })
  afterAll(() => world?.close())

  const crowds = engine === 'servers' ? ['one gateway', 'two gateways'] : ['one gateway']
  describe.each(crowds)('with %s', (crowd) => {
    const gatewayFor = (at: number) => (crowd === 'one gateway' ? world.gateway : world.gateways[at % 2]!)

    it('one hundred writes at once against budget for ten have exactly ten effects', async () => {
      const since = await now(world)
      const key = await world.issue({
        agent: CASHIER,
        budgets: [{ scope: 'key', window: 'day', cap: 1000, currency: 'usd' }],
      })
      const answers = await Promise.all(
        times(100, (at) =>
          world.byName(
            'create_charge',
            { params: { amount: 100, currency: 'usd', customer: 'cus_123', description: `order ${at}` } },
            { key, gateway: gatewayFor(at) },
          ),
        ),
      )
      expect(tally(answers)).toEqual({ made: 10, spend_cap_exceeded: 90 })
      expect((await world.effects(since.effects)).map(({ moved }) => moved)).toEqual(times(10, () => 100))
      expect(await world.spend(key)).toMatchObject([{ spent: 1000, reserved: 0 }])
      const rows = await world.rows({ key: key.id })
      expect(rows.filter(({ reason }) => reason === 'spend_cap_exceeded')).toHaveLength(90)
      expect(rows.filter(({ outcome }) => outcome === 'succeeded')).toHaveLength(10)
      await checkInvariants(world, since)
    })

    it.each([
      ['under one call id', (_at: number) => 'call-1'],
      ['under fifty call ids', (at: number) => `call-${at}`],
      ['without a call id', (_at: number) => undefined],
    ])('the same call fifty times at once, %s, has one effect, and the others get its answer', async (_, nameOf) => {
      const since = await now(world)
      const key = await world.issue({
        agent: CASHIER,
        budgets: [{ scope: 'key', window: 'day', cap: 100_000, currency: 'usd' }],
      })
      await world.misbehave({ match: { method: 'POST', path: '/v1/charges' }, do: 'delay', ms: 150 })
      const answers = await Promise.all(
        times(50, (at) =>
          world.byName(
            'create_charge',
            { call_id: nameOf(at), params: { amount: 100, currency: 'usd', customer: 'cus_123' } },
            { key, gateway: gatewayFor(at) },
          ),
        ),
      )
      expect(tally(answers)).toEqual({ made: 1, replayed: 49 })
      expect(new Set(answers.map(({ body }) => body.event_id)).size).toBe(1)
      expect(new Set(answers.map(({ body }) => body.data.id)).size).toBe(1)
      expect(await world.effects(since.effects)).toHaveLength(1)
      const writes = (await world.requests(since.requests)).filter(({ method }) => method === 'POST')
      expect(new Set(writes.map(({ idempotency_key }) => idempotency_key))).toEqual(
        new Set([`cs-${answers[0]!.body.event_id}`]),
      )
      expect(await world.spend(key)).toMatchObject([{ spent: 100, reserved: 0 }])
      const rows = await world.rows({ event_id: answers[0]!.body.event_id })
      expect(rows.filter(({ kind }) => kind === 'replay')).toHaveLength(49)
      await checkInvariants(world, since)
    })
  })

  it('an agent that means to charge 200 customers and sends 400 charges makes 200', async () => {
    const since = await now(world)
    const key = await world.issue({ agent: CASHIER, run: 'month-end' })
    await world.plant({
      customers: times(200, (at) => ({ id: `cus_${key.id}_${at}`, default_source: `card_${key.id}_${at}` })),
      cards: times(200, (at) => ({ id: `card_${key.id}_${at}`, customer: `cus_${key.id}_${at}` })),
    })
    const charge = (at: number) =>
      world.byName(
        'create_charge',
        { params: { amount: 500, currency: 'usd', customer: `cus_${key.id}_${at}` } },
        { key },
      )
    const both = async (at: number) => [await charge(at), await charge(at)]
    const answers: Answered[] = []
    for (let at = 0; at < 200; at += 20)
      answers.push(...(await Promise.all(times(20, (offset) => both(at + offset)))).flat())
    expect(tally(answers)).toEqual({ made: 200, replayed: 200 })
    const charged = (await world.effects(since.effects)).map(({ customer }) => customer)
    expect(charged).toHaveLength(200)
    expect(new Set(charged).size).toBe(200)
    await checkInvariants(world, since)
  })

  it('a loop of refunds stops at its cap', async () => {
    const since = await now(world)
    const key = await world.issue({ agent: CASHIER, run: 'loop', daily_cap_usd: 50 })
    await world.plant({ charges: [{ id: `ch_${key.id}`, amount: 100_000, currency: 'usd', customer: 'cus_123' }] })
    const statuses: number[] = []
    for (const occurrence of times(20, (at) => at + 1))
      statuses.push(
        (await world.byName('create_refund', { occurrence, params: { charge: `ch_${key.id}`, amount: 700 } }, { key }))
          .status,
      )
    expect(statuses).toEqual([...times(7, () => 200), ...times(13, () => 403)])
    expect((await world.effects(since.effects)).map(({ moved }) => moved)).toEqual(times(7, () => 700))
    expect(await world.spend(key)).toMatchObject([{ spent: 4900, reserved: 0 }])
    await checkInvariants(world, since)
  })

  it('one hundred conversations of $50 each stay under the $2000 of their organisation', async () => {
    const since = await now(world)
    const organisation = world.newOrganisation()
    const keys = await Promise.all(
      times(100, (at) =>
        world.issue({
          organisation,
          agent: CASHIER,
          run: `conv-${at}`,
          budgets: [{ scope: 'run', window: 'lifetime', cap: 5000, currency: 'usd' }],
        }),
      ),
    )
    const answers = await Promise.all(
      keys.map((key) =>
        world.byName('create_charge', { params: { amount: 5000, currency: 'usd', customer: 'cus_123' } }, { key }),
      ),
    )
    expect(tally(answers)).toEqual({ made: 40, spend_cap_exceeded: 60 })
    const moved = (await world.effects(since.effects)).map((effect) => effect.moved)
    expect(moved).toEqual(times(40, () => 5000))
    await checkInvariants(world, since)
  })
})
