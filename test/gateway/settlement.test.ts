/** What moved is what settles: the answer is later than the look-up before the call, and knows what changed in between. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { POLICY } from '../cases/policy.ts'
import { checkInvariants, now, type Since } from './invariants.ts'
import { type Answered, ENGINES, type Key, openWorld, type World } from './world.ts'

const CASHIER = { id: 'till-1', role: 'cashier' }
const CAP = 6000
const REFUNDS = { method: 'POST', path: '/v1/refunds' }

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  for (const deadline = Date.now() + 20_000; !(await holds()); await sleep(50))
    if (Date.now() > deadline) throw new Error('it has not come to that in 20 s')
}

describe.each(ENGINES)('on %s', (engine) => {
  let world: World
  beforeAll(async () => {
    const config = {
      upstreams: { stripe: { deadline: '6s' } },
      recovery: { every: '200ms' },
      rates: { 'usd/eur': 0.9 },
    }
    world = await openWorld(engine, { policy: POLICY, config })
  })
  afterAll(() => world?.close())

  const issue = () =>
    world.issue({
      agent: CASHIER,
      budgets: [
        { scope: 'key', window: 'day', cap: CAP, currency: 'usd', alerts: [] },
        { scope: 'agent', window: 'day', cap: CAP, currency: 'eur', alerts: [] },
      ],
    })
  const holds = (key: Key, amount: number) =>
    world.plant({ charges: [{ id: `ch_${key.id}`, amount, currency: 'usd', customer: 'cus_123' }] })
  /** All that remains, whatever that is. */
  const refund = (key: Key) =>
    world.byName('create_refund', { call_id: 'call-1', params: { charge: `ch_${key.id}` } }, { key })
  const spentBy = async (key: Key) => (await world.spend(key)).map(({ spent, reserved }) => [spent, reserved])
  const costs = async (event_id: string) =>
    (await world.rows({ event_id })).map(({ kind, outcome, cost }) => [outcome ?? kind, cost])

  /** Of a charge that held 5000 when it was looked up, and `left` when the refund was made. */
  async function refundWhile(key: Key, since: Since, left: number): Promise<Answered> {
    await holds(key, 5000)
    await world.misbehave({ match: REFUNDS, do: 'delay', ms: 2000 })
    const calling = refund(key)
    await until(async () => (await world.requests(since.requests)).some(({ method }) => method === 'POST'))
    expect(await spentBy(key)).toEqual([
      [0, 5000],
      [0, 4500],
    ])
    await holds(key, left)
    return calling
  }

  it.each([
    ['less', 3000, 2700],
    ['more', 5500, 4950],
  ])('a refund of all that remains, where %s remains by then, costs what was refunded', async (_, left, inEuros) => {
    const since = await now(world)
    const key = await issue()
    const { body } = await refundWhile(key, since, left)
    expect(body).toMatchObject({ data: { amount: left }, cost: { amount: left, currency: 'usd' } })
    expect(await spentBy(key)).toEqual([
      [left, 0],
      [inEuros, 0],
    ])
    expect((await world.ask(`/v1/calls/${body.event_id}`, { key })).body.cost).toEqual({
      amount: left,
      currency: 'usd',
    })
    expect((await refund(key)).body).toMatchObject({ replayed: true, cost: { amount: left, currency: 'usd' } })
    expect(await costs(body.event_id)).toEqual([
      ['decision', 5000],
      ['succeeded', left],
      ['succeeded', 0],
    ])
    await checkInvariants(world, since)
  })

  it('what moved beyond a cap is counted, and nothing more is admitted', async () => {
    const since = await now(world)
    const key = await issue()
    expect((await refundWhile(key, since, CAP + 1)).body).toMatchObject({ cost: { amount: CAP + 1 } })
    expect((await spentBy(key))[0]).toEqual([CAP + 1, 0])
    const charge = { amount: 1, currency: 'usd', customer: 'cus_123' }
    expect((await world.byName('create_charge', { params: charge }, { key })).body).toMatchObject({
      code: 'spend_cap_exceeded',
    })
    await checkInvariants(world, since)
  })

  it('a call whose answer came only to recovery costs what that answer says', async () => {
    const since = await now(world)
    const key = await issue()
    await holds(key, 5000)
    await world.misbehave({ match: REFUNDS, do: 'hang', when: 'before_effect' })
    const { body } = await refund(key)
    expect(body).toMatchObject({ code: 'outcome_unknown' })
    expect((await spentBy(key))[0]).toEqual([0, 5000])
    await holds(key, 3000)
    await world.behave()

    await until(async () => (await world.ask(`/v1/calls/${body.event_id}`, { key })).body.state === 'succeeded')
    expect((await world.ask(`/v1/calls/${body.event_id}`, { key })).body.cost).toEqual({
      amount: 3000,
      currency: 'usd',
    })
    expect((await costs(body.event_id)).at(-1)).toEqual(['succeeded', 3000])
    await checkInvariants(world, since)
    expect((await spentBy(key))[0]).toEqual([3000, 0])
  })
})
