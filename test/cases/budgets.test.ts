/** Every scope in every window caps, counts in one place for whoever shares it, and leaves others alone. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkInvariants, now } from '../gateway/invariants.ts'
import { ENGINES, type Key, openWorld, type World } from '../gateway/world.ts'
import { CONFIG, POLICY } from './policy.ts'

const SCOPES = ['organisation', 'project', 'agent', 'role', 'run', 'key', 'customer', 'provider', 'group'] as const
const WINDOWS = ['call', 'run', 'hour', 'day', 'month', 'lifetime'] as const
const ROWS = SCOPES.flatMap((scope) => WINDOWS.map((window) => ({ scope, window })))
/** Who shares a budget with the first agent, another key of the same. */
const SHARED_BY_KEYS = SCOPES.filter((scope) => scope !== 'key')

describe.each(ENGINES)('on %s', (engine) => {
  let world: World
  beforeAll(async () => {
    await awayFromTheHour()
    world = await openWorld(engine, { policy: POLICY, config: CONFIG })
  })
  afterAll(() => world?.close())

  const issue = (scope: string, window: string, more: object = {}): Promise<Key> =>
    world.issue({
      project: 'tills',
      agent: { id: 'till-1', role: 'cashier' },
      run: 'shift-1',
      budgets: [{ scope, window, cap: 1000, currency: 'usd' }],
      ...more,
    })
  const charge = (key: Key, amount: number) =>
    world.byName('create_charge', { params: { amount, currency: 'usd', customer: 'cus_123' } }, { key })

  it.each(ROWS)('a budget per $scope and $window lets its cap through and no cent more', async ({ scope, window }) => {
    const since = await now(world)
    const key = await issue(scope, window)
    const first = await charge(key, 600)
    const second = await charge(key, window === 'call' ? 1001 : 401)
    const third = await charge(key, 400)
    expect([first.status, second.status, third.status]).toEqual([200, 403, 200])
    expect(second.body).toMatchObject({ code: 'spend_cap_exceeded', detail: expect.stringContaining(`per ${window}`) })
    expect((await world.effects(since.effects)).map(({ moved }) => moved)).toEqual([600, 400])
    const [row] = await world.rows({ event_id: second.body.event_id })
    expect(row).toMatchObject({ decision: 'deny', reason: 'spend_cap_exceeded', cost: window === 'call' ? 1001 : 401 })
    await checkInvariants(world, since)
  })

  it.each(SHARED_BY_KEYS)('two keys of one organisation share a budget per %s', async (scope) => {
    const key = await issue(scope, 'day')
    const other = await issue(scope, 'day', { organisation: key.organisation })
    expect((await charge(key, 600)).status).toBe(200)
    expect((await charge(other, 401)).body).toMatchObject({ code: 'spend_cap_exceeded' })
    expect((await charge(other, 400)).status).toBe(200)
  })

  it('two organisations never share a budget, whatever the names in it', async () => {
    for (const key of [await issue('agent', 'day'), await issue('agent', 'day')])
      expect((await charge(key, 1000)).status).toBe(200)
  })

  it('a pair of scopes counts both together', async () => {
    const key = await issue('agent+group', 'day')
    expect((await charge(key, 1000)).status).toBe(200)
    await world.plant({ charges: [{ id: `ch_${key.id}`, amount: 500, currency: 'usd', customer: 'cus_123' }] })
    const refund = await world.byName('create_refund', { params: { charge: `ch_${key.id}` } }, { key })
    expect(refund.status).toBe(200)
    expect((await charge(key, 1)).body).toMatchObject({ code: 'spend_cap_exceeded' })
  })
})

/** A window that ends between two steps is right, and no story of these. */
async function awayFromTheHour(): Promise<void> {
  const left = 3_600_000 - (Date.now() % 3_600_000)
  if (left < 60_000) await sleep(left)
}
