/** The provider is silent, away, or misbehaves: what is reserved stays until there is evidence, and never longer. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { POLICY } from '../cases/policy.ts'
import { freePort } from '../services/process.ts'
import { checkInvariants, now } from './invariants.ts'
import { ENGINES, openWorld, type World } from './world.ts'

const CASHIER = { id: 'till-1', role: 'cashier' }
const BUDGETS = [{ scope: 'key', window: 'day', cap: 1000, currency: 'usd' }]
const CHARGE = { amount: 600, currency: 'usd', customer: 'cus_123' }

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  for (const deadline = Date.now() + 20_000; !(await holds()); await sleep(100))
    if (Date.now() > deadline) throw new Error('it has not come to that in 20 s')
}

describe.each(ENGINES)('on %s', (engine) => {
  describe('a provider that is slow beyond its deadline', () => {
    let world: World
    beforeAll(async () => {
      const config = { upstreams: { stripe: { deadline: '2s' } }, recovery: { every: '200ms' } }
      world = await openWorld(engine, { policy: POLICY, config })
    })
    afterAll(() => world?.close())

    it.each([
      ['before it acted', 'before_effect'],
      ['after it acted', 'after_effect'],
    ])(
      'leaves the outcome unknown and the reservation whole, %s, until a repeat under the same key settles it',
      async (_, when) => {
        const since = await now(world)
        const key = await world.issue({ agent: CASHIER, budgets: BUDGETS })
        await world.misbehave({ match: { method: 'POST', path: '/v1/charges' }, do: 'hang', when })
        const first = await world.byName('create_charge', { call_id: 'call-1', params: CHARGE }, { key })
        expect(first.status).toBe(502)
        expect(first.body).toMatchObject({ code: 'outcome_unknown', retryable: true })
        const event = first.body.event_id
        const spend = await world.spend(key)
        expect(spend[0]!.spent + spend[0]!.reserved).toBe(600)
        const over = await world.byName('create_charge', { params: { ...CHARGE, amount: 401 } }, { key })
        expect(over.body).toMatchObject({ code: 'spend_cap_exceeded' })

        await until(async () => (await world.ask(`/v1/calls/${event}`, { key })).body.state === 'succeeded')
        expect(await world.spend(key)).toMatchObject([{ spent: 600, reserved: 0 }])
        const again = await world.byName('create_charge', { call_id: 'call-1', params: CHARGE }, { key })
        expect(again.body).toMatchObject({ event_id: event, replayed: true, data: { amount: 600 } })
        const effects = await world.effects(since.effects)
        expect(effects.map(({ idempotency_key, moved }) => [idempotency_key, moved])).toEqual([[`cs-${event}`, 600]])
        const rows = await world.rows({ event_id: event })
        expect(rows.filter(({ kind }) => kind === 'outcome').map(({ outcome }) => outcome)).toEqual(
          expect.arrayContaining(['unknown', 'succeeded']),
        )
        await checkInvariants(world, since)
      },
    )

    it('a read that is not answered has failed, and reserves nothing', async () => {
      const key = await world.issue({ agent: CASHIER, budgets: BUDGETS })
      await world.misbehave({ match: { method: 'GET', path: '/v1/customers' }, do: 'hang' })
      const answer = await world.byName('list_customers', { params: {} }, { key })
      expect(answer.status).toBe(502)
      expect(answer.body).toMatchObject({ code: 'upstream_failed' })
      expect(await world.spend(key)).toMatchObject([{ spent: 0, reserved: 0 }])
    })
  })

  describe('a provider that refuses connections', () => {
    let world: World
    beforeAll(async () => {
      const config = { upstreams: { stripe: { deadline: '2s' } }, recovery: { every: '200ms' } }
      const upstream = `http://127.0.0.1:${await freePort()}`
      world = await openWorld(engine, { policy: POLICY, config, upstream })
    })
    afterAll(() => world?.close())

    it('makes the call fail, surely without effect, and gives its reservation back', async () => {
      const key = await world.issue({ agent: CASHIER, budgets: BUDGETS })
      for (const _attempt of [1, 2]) {
        const answer = await world.byName('create_charge', { params: CHARGE }, { key })
        expect(answer.status).toBe(502)
        expect(answer.body).toMatchObject({
          code: 'upstream_failed',
          detail: expect.stringContaining('connection refused'),
        })
        const rows = await world.rows({ event_id: answer.body.event_id })
        expect(rows.map(({ kind, decision, outcome }) => `${kind} ${outcome ?? decision}`)).toEqual([
          'decision allow',
          'alert allow',
          'outcome failed',
        ])
        expect(await world.spend(key)).toMatchObject([{ spent: 0, reserved: 0 }])
      }
    })

    it('leaves a refund that cannot be looked up undecided and unsent', async () => {
      const key = await world.issue({ agent: CASHIER, budgets: BUDGETS })
      const answer = await world.byName('create_refund', { params: { charge: 'ch_123' } }, { key })
      expect(answer.body).toMatchObject({ code: 'upstream_failed' })
      expect((await world.rows({ event_id: answer.body.event_id })).map(({ reason }) => reason)).toEqual([
        'upstream_failed',
      ])
    })
  })
})
