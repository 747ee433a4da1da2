/** A provider that misbehaves: the outcome is right, there is one effect, and the counters say what was spent. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Agent, agentWith, charge } from './client.ts'
import { effectsOf, expectInvariants, requestsOf } from './invariants.ts'
import { type Here, openSite, type Process, type Site } from './site.ts'
import { until } from './until.ts'

const FAULTS = [
  { fault: 'resets before the effect', rule: { do: 'reset_before_effect' } },
  { fault: 'resets after the effect', rule: { do: 'reset_after_effect' } },
  { fault: 'answers 409', rule: { do: 'status', status: 409 } },
  { fault: 'answers 503 without effect', rule: { do: 'status', status: 503 } },
  { fault: 'answers 503 with effect', rule: { do: 'status', status: 503, when: 'after_effect' } },
  { fault: 'cuts its answer off', rule: { do: 'truncated_body' } },
  { fault: 'answers what is not JSON', rule: { do: 'invalid_json' } },
] as const

describe('a provider that misbehaves once', { timeout: 90_000 }, () => {
  let site: Site
  let gateway: Here
  let agent: Agent

  beforeAll(async () => {
    site = await openSite({ engine: 'PGlite and memory', cap: 100 * FAULTS.length })
    gateway = await site.startHere()
    agent = agentWith(await site.vaultKey(gateway))
  })
  afterAll(() => site.remove())

  it.each(FAULTS)('and $fault is asked again under the same key', async ({ fault, rule }) => {
    await misbehave(site, rule)
    const answer = await agent.call(gateway.agent_url, { run: runOf(fault), ...charge(100) })
    expect(answer).toMatchObject({ status: 200, replayed: false, data: { amount: 100 } })
  })

  it('has acted once a call', async () => {
    const { effects, spent } = await expectInvariants(site, gateway, agent.heard)
    expect(effects).toHaveLength(FAULTS.length)
    expect(spent).toBe(100 * FAULTS.length)
  })
})

const SILENCES = [
  { fault: 'hangs before the effect', rule: { do: 'hang' } },
  { fault: 'hangs after the effect', rule: { do: 'hang', when: 'after_effect' } },
  { fault: 'resets after the effect, every time', rule: { do: 'reset_after_effect', times: 4 } },
] as const

describe('a provider that says nothing within the deadline', { timeout: 90_000 }, () => {
  let site: Site
  let gateway: Here
  let agent: Agent

  beforeAll(async () => {
    site = await openSite({
      engine: 'PostgreSQL and Redis',
      cap: 100 * SILENCES.length,
      yaml: 'upstreams: { stripe: { deadline: 1s } }',
    })
    gateway = await site.startHere()
    agent = agentWith(await site.vaultKey(gateway))
  })
  afterAll(() => site.remove())

  it.each(SILENCES)('and $fault leaves an unknown outcome, which recovery ends', async ({ fault, rule }) => {
    await misbehave(site, rule)
    const asked = { run: runOf(fault), ...charge(100) }
    const first = await agent.call(gateway.agent_url, asked)
    expect(first).toMatchObject({ status: 502, code: 'outcome_unknown' })
    expect(await gateway.counters.stale(site.organisation, 0)).toMatchObject([{ event_id: first.event_id }])
    const again = await agent.insist(gateway.agent_url, asked)
    expect(again).toMatchObject({ status: 200, event_id: first.event_id, replayed: true })
  })

  it('has acted once a call', async () => {
    const { effects } = await expectInvariants(site, gateway, agent.heard)
    expect(effects).toHaveLength(SILENCES.length)
  })
})

describe('a provider that acted and answers 500 under the key for ever', { timeout: 90_000 }, () => {
  it('keeps the full reservation, has acted once, and the same call hears that nobody knows', async () => {
    const site = await openSite({
      engine: 'PGlite and memory',
      cap: 100,
      yaml: 'upstreams: { stripe: { deadline: 1s } }',
    })
    try {
      const gateway = await site.startHere()
      const agent = agentWith(await site.vaultKey(gateway))
      await misbehave(site, { do: 'status', status: 500, when: 'after_effect' })
      const asked = { run: 'answers-500', ...charge(100) }
      const first = await agent.call(gateway.agent_url, asked)
      await until('recovery has asked again', async () => (await requestsOf(site)).length > 1)
      const again = await agent.call(gateway.agent_url, asked)
      const other = await agent.call(gateway.agent_url, { ...asked, run: 'another' })
      expect([first, again]).toMatchObject([
        { status: 502, code: 'outcome_unknown' },
        { status: 502, code: 'outcome_unknown', event_id: first.event_id },
      ])
      expect(other).toMatchObject({ status: 403, code: 'spend_cap_exceeded' })
      expect(await effectsOf(site)).toHaveLength(1)
      expect((await gateway.journal.fold(site.organisation)).states).toMatchObject([{ spent: 0, reserved: 100 }])
    } finally {
      await site.remove()
    }
  })
})

const WAITS = [
  { fault: 'hangs before the effect', rule: { do: 'hang' } },
  { fault: 'hangs after the effect', rule: { do: 'hang', when: 'after_effect' } },
  { fault: 'is slow', rule: { do: 'delay', ms: 3_000 } },
  { fault: 'is slow to say that it acted', rule: { do: 'delay', ms: 3_000, when: 'after_effect' } },
] as const

describe('a gateway that is killed while it waits for the provider', { timeout: 90_000 }, () => {
  let site: Site
  let agent: Agent
  let victim: Process
  let survivor: Here

  beforeAll(async () => {
    site = await openSite({ engine: 'PostgreSQL and Redis', cap: 100 * WAITS.length })
    const first = await site.startHere()
    agent = agentWith(await site.vaultKey(first))
    await first.close()
    victim = await site.startProcess()
    const lost: Promise<unknown>[] = []
    for (const [place, { fault, rule }] of WAITS.entries()) {
      await misbehave(site, rule)
      lost.push(agent.call(victim.agent_url, { run: runOf(fault), ...charge(100) }))
      await until('the provider has the request', async () => (await requestsOf(site)).length === place + 1)
    }
    victim.signal('SIGKILL')
    await Promise.all([victim.ended, ...lost])
    survivor = await site.startHere()
  })
  afterAll(() => site.remove())

  it.concurrent.each(WAITS)('that $fault: the same call is answered by another gateway', async ({ fault }) => {
    const again = await agent.insist(survivor.agent_url, { run: runOf(fault), ...charge(100) })
    expect(again).toMatchObject({ status: 200, replayed: true })
  })

  it('leaves one effect a call', async () => {
    const { effects } = await expectInvariants(site, survivor, agent.heard)
    expect(effects).toHaveLength(WAITS.length)
  })
})

const runOf = (fault: string): string => fault.replaceAll(' ', '-')

const misbehave = (site: Site, rule: object): Promise<Response> =>
  fetch(`${site.sandbox.url}/_sandbox/misbehave`, { method: 'POST', body: JSON.stringify(rule) })
