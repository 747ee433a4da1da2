/** The audit store goes away and comes back: no audit store, no call; and nothing that was begun is lost. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type PostgresService, startPostgres } from '../services/postgres.ts'
import { type Agent, agentWith, charge } from './client.ts'
import { effectsOf, expectInvariants, requestsOf } from './invariants.ts'
import { type Here, openSite, type Site } from './site.ts'

/** What goes through the doors when the journal's step of this name is about to run, once armed. */
interface Knife {
  at: 'commitIntent' | 'commitOutcome' | undefined
  cut: () => Promise<void>
}

describe('a PostgreSQL that goes down', { timeout: 90_000 }, () => {
  let postgres: PostgresService
  let site: Site
  let gateway: Here
  let agent: Agent
  const knife: Knife = { at: undefined, cut: async () => {} }

  beforeEach(async () => {
    postgres = await startPostgres()
    site = await openSite({ engine: 'PostgreSQL and Redis', cap: 1_000, database_url: postgres.url })
    gateway = await site.startHere((name, port) =>
      name !== 'journal'
        ? port
        : new Proxy(port, {
            get: (target, method) => {
              if (method !== knife.at) return Reflect.get(target, method)
              knife.at = undefined
              return async (...input: unknown[]) => {
                await knife.cut()
                return (Reflect.get(target, method) as (...input: unknown[]) => unknown).apply(target, input)
              }
            },
          }),
    )
    // Repeats are off, so that a call need not ask the journal for its twins before it would look things up.
    agent = agentWith(await site.vaultKey(gateway, { repeat: 'off' }))
    knife.cut = () => postgres.stop('kill')
  })
  afterEach(async () => {
    await site.remove()
    await postgres.remove()
  })

  it('before the call: 503, no byte reaches the provider, and it works once the database is back', async () => {
    const refund = { run: 'refund', operation: 'create_refund', params: { charge: 'ch_123', amount: 100 } }
    expect(await agent.call(gateway.agent_url, { run: 'warm', ...charge(100) })).toMatchObject({ status: 200 })
    const seen = (await requestsOf(site)).length
    await postgres.stop('kill')
    for (const asked of [{ run: 'charge', ...charge(100) }, refund, { ...refund, call_id: 'call_1' }])
      expect(await agent.call(gateway.agent_url, asked)).toMatchObject({ status: 503, code: 'audit_unavailable' })
    expect(await requestsOf(site)).toHaveLength(seen)
    const readiness = await fetch(`${gateway.agent_url}/readyz`)
    expect(readiness.status).toBe(503)
    expect(await readiness.json()).toMatchObject({
      ready: false,
      audit: expect.stringMatching(/^unavailable: ./),
      counters: 'ok',
    })
    await postgres.start()
    expect(await agent.insist(gateway.agent_url, refund)).toMatchObject({ status: 200, data: { object: 'refund' } })
    const { effects } = await expectInvariants(site, gateway, agent.heard)
    expect(effects.map(({ kind }) => kind)).toEqual(['charge.created', 'refund.created'])
  })

  it('between reservation and intent: 503, nothing is sent, and the reservation is given back', async () => {
    knife.at = 'commitIntent'
    const asked = { run: 'run-1', call_id: 'call_1', ...charge(1_000) }
    expect(await agent.call(gateway.agent_url, asked)).toMatchObject({ status: 503, code: 'audit_unavailable' })
    expect(await requestsOf(site)).toEqual([])
    await postgres.start()
    // The whole cap: it could not be reserved again were it still held.
    expect(await agent.insist(gateway.agent_url, asked)).toMatchObject({ status: 200 })
    const { effects } = await expectInvariants(site, gateway, agent.heard)
    expect(effects).toHaveLength(1)
  })

  it('between the provider and the outcome: unknown to the client, and ended by recovery once it is back', async () => {
    knife.at = 'commitOutcome'
    const asked = { run: 'run-1', call_id: 'call_1', ...charge(1_000) }
    const first = await agent.call(gateway.agent_url, asked)
    expect(first).toMatchObject({ status: 502, code: 'outcome_unknown' })
    expect(await effectsOf(site)).toHaveLength(1)
    await postgres.start()
    const again = await agent.insist(gateway.agent_url, asked)
    expect(again).toMatchObject({ status: 200, event_id: first.event_id, replayed: true })
    const { effects } = await expectInvariants(site, gateway, agent.heard)
    expect(effects).toHaveLength(1)
  })
})
