/** The process and its clients: one of two gateways dies under load, a client hangs up, a gateway drains. */
import { afterEach, describe, expect, it } from 'vitest'
import { agentWith, charge } from './client.ts'
import { effectsOf, expectInvariants, requestsOf } from './invariants.ts'
import { openSite, type Site } from './site.ts'
import { until } from './until.ts'

const CLIENTS = 8
const CALLS_EACH = 10

describe('gateways and their clients', { timeout: 90_000 }, () => {
  let site: Site
  afterEach(() => site.remove())
  const delayed = (ms: number): Promise<Response> =>
    fetch(`${site.sandbox.url}/_sandbox/misbehave`, {
      method: 'POST',
      body: JSON.stringify({ do: 'delay', ms, match: { method: 'POST' } }),
    })

  it('one of two is killed under load, and the other ends its calls, none of them twice', async () => {
    site = await openSite({ engine: 'PostgreSQL and Redis', cap: 100 * CLIENTS * CALLS_EACH })
    const survivor = await site.startHere()
    const agent = agentWith(await site.vaultKey(survivor))
    const victim = await site.startProcess()
    let url = victim.agent_url
    const load = Array.from({ length: CLIENTS }, async (_, client) => {
      for (let number = 0; number < CALLS_EACH; number++) {
        const asked = { run: `run-${client}`, call_id: `call_${number}`, occurrence: number + 1, ...charge(100) }
        const answer = await agent.insist(() => url, asked)
        expect(answer).toMatchObject({ status: 200 })
      }
    })
    await until('the load is half done', () => agent.heard.length >= (CLIENTS * CALLS_EACH) / 2)
    victim.signal('SIGKILL')
    url = survivor.agent_url
    await Promise.all([victim.ended, ...load])
    expect(agent.heard.some(({ status }) => status === 0)).toBe(true)
    const { effects, spent } = await expectInvariants(site, survivor, agent.heard)
    expect(effects).toHaveLength(CLIENTS * CALLS_EACH)
    expect(spent).toBe(site.cap)
  })

  it('a client that hangs up changes nothing: its call runs to its end and is recorded', async () => {
    site = await openSite({ engine: 'PGlite and memory', cap: 100 })
    const gateway = await site.startHere()
    const vaultKey = await site.vaultKey(gateway)
    await delayed(500)
    const hangUp = new AbortController()
    const left = fetch(`${gateway.agent_url}/v1/providers/stripe/operations/create_charge`, {
      method: 'POST',
      headers: { authorization: `Bearer ${vaultKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ run: 'run-1', params: charge(100).params }),
      signal: hangUp.signal,
    }).catch(() => 'left')
    await until('the provider has the request', async () => (await requestsOf(site)).length === 1)
    hangUp.abort()
    expect(await left).toBe('left')
    const agent = agentWith(vaultKey)
    const again = await agent.call(gateway.agent_url, { run: 'run-1', ...charge(100) })
    expect(again).toMatchObject({ status: 200, replayed: true })
    const { effects } = await expectInvariants(site, gateway, agent.heard)
    expect(effects).toHaveLength(1)
  })

  it('SIGTERM drains: what is on its way ends and is recorded, what is new is refused, and the exit is 0', async () => {
    site = await openSite({ engine: 'PostgreSQL and Redis', cap: 1_000 })
    const other = await site.startHere()
    const agent = agentWith(await site.vaultKey(other))
    const leaving = await site.startProcess()
    // Keeps a connection, over which the new call comes.
    await agent.call(leaving.agent_url, { run: 'run-0', ...charge(100) })
    await delayed(1_500)
    const running = agent.call(leaving.agent_url, { run: 'run-1', ...charge(100) })
    await until('the provider has the request', async () => (await requestsOf(site)).length === 2)
    leaving.signal('SIGTERM')
    await until('it drains', leaving.draining)
    const late = await agent.call(leaving.agent_url, { run: 'run-2', ...charge(100) })
    expect([0, 503]).toContain(late.status)
    expect(await running).toMatchObject({ status: 200, replayed: false })
    expect(await until('it has ended', () => leaving.ended.then((code) => ({ code })), 20_000)).toEqual({ code: 0 })
    expect(await effectsOf(site)).toHaveLength(2)
    const { effects } = await expectInvariants(site, other, agent.heard)
    expect(effects).toHaveLength(2)
  })
})
