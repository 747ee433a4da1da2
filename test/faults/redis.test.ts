/** Counters that go away or lose their memory: refused, rebuilt from the ledger, and no cap passed. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { type RedisService, startRedis } from '../services/redis.ts'
import { type Asked, agentWith, charge } from './client.ts'
import { expectInvariants, requestsOf } from './invariants.ts'
import { openSite, type Site } from './site.ts'

const CAP_CALLS = 60
const CLIENTS = 8

/** How the counters lose their memory, several times while clients hammer. */
const LOSSES = [
  { loss: 'is flushed', appendonly: false, strike: (redis: RedisService) => redis.flush() },
  {
    loss: 'is restarted with nothing kept',
    appendonly: false,
    strike: async (redis: RedisService) => {
      await redis.stop('fast')
      await redis.start()
    },
  },
  {
    loss: 'is killed and comes back with its log',
    appendonly: true,
    strike: async (redis: RedisService) => {
      await redis.stop('kill')
      await redis.start()
    },
  },
] as const

describe('a Redis that fails', { timeout: 90_000 }, () => {
  let redis: RedisService
  let site: Site
  afterEach(async () => {
    await site.remove()
    await redis.remove()
  })

  it('refuses what costs while it is down, and takes it when it is back', async () => {
    redis = await startRedis()
    site = await openSite({ engine: 'PostgreSQL and Redis', cap: 100, redis_url: redis.url })
    const gateway = await site.startHere()
    const agent = agentWith(await site.vaultKey(gateway))
    await redis.stop('kill')
    const asked = { run: 'run-1', ...charge(100) }
    expect(await agent.call(gateway.agent_url, asked)).toMatchObject({ status: 503, code: 'counters_unavailable' })
    expect(await requestsOf(site)).toEqual([])
    const readiness = await fetch(`${gateway.agent_url}/readyz`)
    expect(readiness.status).toBe(503)
    expect(await readiness.json()).toMatchObject({
      ready: false,
      audit: 'ok',
      counters: expect.stringMatching(/^unavailable: ./),
    })
    await redis.start()
    expect(await agent.insist(gateway.agent_url, asked)).toMatchObject({ status: 200 })
    const { spent } = await expectInvariants(site, gateway, agent.heard)
    expect(spent).toBe(100)
  })

  it('answers a repeat from its record while it is down: a repeat draws on no budget', async () => {
    redis = await startRedis()
    site = await openSite({ engine: 'PostgreSQL and Redis', cap: 200, redis_url: redis.url })
    const gateway = await site.startHere()
    const agent = agentWith(await site.vaultKey(gateway))
    const asked = { run: 'run-1', call_id: 'call_1', ...charge(100) }
    const first = await agent.call(gateway.agent_url, asked)
    expect(first.status).toBe(200)
    await redis.stop('kill')
    expect(await agent.call(gateway.agent_url, asked)).toMatchObject({ status: 200, data: first.data })
    expect(await requestsOf(site)).toHaveLength(1)
    await redis.start()
    expect(await agent.insist(gateway.agent_url, { ...asked, run: 'run-2' })).toMatchObject({ status: 200 })
    await expectInvariants(site, gateway, agent.heard)
  })

  it.each(LOSSES)('passes no cap when it $loss under load, on two gateways', async ({ appendonly, strike }) => {
    redis = await startRedis({ appendonly })
    site = await openSite({ engine: 'PostgreSQL and Redis', cap: 100 * CAP_CALLS, redis_url: redis.url })
    const gateways = await Promise.all([site.startHere(), site.startHere()])
    const agent = agentWith(await site.vaultKey(gateways[0]))
    let capped = 0
    let number = 0
    const hammer = async (client: number): Promise<void> => {
      while (capped < CLIENTS) {
        const asked: Asked = { run: `run-${client}`, call_id: `call_${number++}`, occurrence: number, ...charge(100) }
        const answer = await agent.insist(gateways[client % 2]!.agent_url, asked)
        if (answer.code === 'spend_cap_exceeded') {
          capped++
          return
        }
        expect(answer).toMatchObject({ status: 200 })
      }
    }
    const hammering = Promise.all(Array.from({ length: CLIENTS }, (_, client) => hammer(client)))
    for (let strikes = 0; strikes < 3; strikes++) {
      const { length } = agent.heard
      while (agent.heard.length < length + 10 && capped === 0) await delay(5)
      await strike(redis)
    }
    await hammering
    // The last loss may have come after the last call, and it is a call that has the counters rebuilt.
    const late = await agent.insist(gateways[0].agent_url, {
      run: 'run-late',
      call_id: 'call_late',
      occurrence: ++number,
      ...charge(100),
    })
    expect(late.code).toBe('spend_cap_exceeded')
    await gateways[1].close()
    const { effects } = await expectInvariants(site, gateways[0], agent.heard)
    expect(effects).toHaveLength(CAP_CALLS)
    expect(agent.heard.some(({ code }) => code?.startsWith('counters_'))).toBe(true)
  })
})
