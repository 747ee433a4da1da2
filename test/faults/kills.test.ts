/** A gateway that is killed at any point of a call: the same call again ends as one effect, under one key, settled once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Agent, type Asked, agentWith, charge } from './client.ts'
import { expectInvariants } from './invariants.ts'
import { POINTS, type Point, runAt } from './points.ts'
import { ENGINES, type Here, openSite, type Site } from './site.ts'

/** How the client names the call when it comes again. */
const NAMINGS = ['by its call id', 'by its fingerprint'] as const

describe.each(ENGINES)('killed on %s', { timeout: 90_000 }, (engine) => {
  const calls = POINTS.flatMap((point) => NAMINGS.map((naming) => ({ point, naming, asked: callAt(point, naming) })))
  let site: Site
  let agent: Agent
  let survivor: Here

  beforeAll(async () => {
    site = await openSite({ engine, cap: 100 * calls.length })
    const first = await site.startHere()
    agent = agentWith(await site.vaultKey(first))
    await first.close()

    const victim = await site.startProcess()
    const calling = calls.map(async ({ point, asked }) => ({
      step: point.step,
      status: (await agent.call(victim.agent_url, asked)).status,
    }))
    await Promise.all(calls.map(({ asked }) => victim.standing(asked.run)))
    // A success frees nothing, so its reply does not wait until the counters know.
    await Promise.all(calling.filter((_, at) => calls[at]!.point.step === 'settle'))
    victim.signal('SIGKILL')
    await victim.ended
    for (const { step, status } of await Promise.all(calling)) expect(status, step).toBe(step === 'settle' ? 200 : 0)
    survivor = await site.startHere()
  })
  afterAll(() => site.remove())

  it.concurrent.each(calls)('$point.moment $point.step, the same call $naming succeeds', async ({ asked }) => {
    const again = await agent.insist(survivor.agent_url, asked)
    expect(again).toMatchObject({ status: 200, data: { object: 'charge', amount: 100 } })
  })

  it('leaves one effect a call, everything settled, and a whole trail', async () => {
    const { effects, spent } = await expectInvariants(site, survivor, agent.heard)
    expect(effects).toHaveLength(calls.length)
    expect(spent).toBe(100 * calls.length)
  })
})

function callAt(point: Point, naming: (typeof NAMINGS)[number]): Asked {
  const run = runAt(point, naming.replaceAll(' ', '-'))
  return { run, ...charge(100), ...(naming === 'by its call id' && { call_id: 'call_1' }) }
}
