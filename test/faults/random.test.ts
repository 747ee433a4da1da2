/**
 * A random run: clients call while gateways are killed, the counters forget, the database breaks its connections off and
 * the provider misbehaves. `COUNTERSIGN_FAULT_SEED` plays the same sequence of faults again, `COUNTERSIGN_FAULT_COUNT`
 * makes it longer.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { administer } from '../services/database.ts'
import { type RedisService, startRedis } from '../services/redis.ts'
import { type Asked, agentWith, charge, type Heard } from './client.ts'
import { expectInvariants } from './invariants.ts'
import { openSite, type Process, type Site } from './site.ts'

const SEED = Number(process.env.COUNTERSIGN_FAULT_SEED ?? Math.floor(Math.random() * 2 ** 32))
const COUNT = Number(process.env.COUNTERSIGN_FAULT_COUNT ?? 12)
/** A slow machine has fewer faults, unless their count was asked for. */
const FAULTS_MS_MAX = process.env.COUNTERSIGN_FAULT_COUNT === undefined ? 20_000 : Number.POSITIVE_INFINITY
const CLIENTS = 4
/** Fewer than the clients ask for, so that the cap is met under faults as well. */
const CAP_CALLS = 400
const GAP_MS_MAX = 700

const MISDEEDS = [
  { do: 'reset_before_effect' },
  { do: 'reset_after_effect' },
  { do: 'hang' },
  { do: 'hang', when: 'after_effect' },
  { do: 'status', status: 409 },
  { do: 'status', status: 429 },
  { do: 'status', status: 503, when: 'after_effect' },
  { do: 'truncated_body' },
  { do: 'invalid_json' },
  { do: 'close_keepalive' },
] as const

describe('a random run', { timeout: 150_000 }, () => {
  let redis: RedisService
  let site: Site
  afterEach(async () => {
    await site.remove()
    await redis.remove()
  })

  it(`of faults (COUNTERSIGN_FAULT_SEED=${SEED}) bends no invariant and loses no call`, async () => {
    const random = generator(SEED)
    const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!
    redis = await startRedis()
    site = await openSite({
      engine: 'PostgreSQL and Redis',
      cap: 100 * CAP_CALLS,
      redis_url: redis.url,
      yaml: 'upstreams: { stripe: { deadline: 1s } }',
    })
    const survivor = await site.startHere()
    const agent = agentWith(await site.vaultKey(survivor))
    let victim: Process | undefined = await site.startProcess()
    const anyUrl = () => (victim && Math.random() < 0.5 ? victim.agent_url : survivor.agent_url)

    let calm = false
    const client = async (name: number): Promise<readonly Heard[]> => {
      const ends: Heard[] = []
      for (let number = 0; !calm; number++) {
        const asked: Asked = { run: `run-${name}`, call_id: `call_${number}`, occurrence: 1 + number, ...charge(100) }
        ends.push(await agent.insist(anyUrl, asked, 90_000))
        await delay(30)
      }
      return ends
    }
    const clients = Promise.all(Array.from({ length: CLIENTS }, (_, name) => client(name)))

    const faults: Readonly<Record<string, () => Promise<unknown>>> = {
      kill: async () => {
        const dying = victim
        victim = undefined
        dying?.signal('SIGKILL')
        await dying?.ended
        victim = await site.startProcess()
      },
      flush: () => redis.flush(),
      restartRedis: async () => {
        await redis.stop('kill')
        await redis.start()
      },
      cutDatabase: () =>
        administer(
          site.database_url!,
          'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
        ),
      misbehave: () =>
        fetch(`${site.sandbox.url}/_sandbox/misbehave`, {
          method: 'POST',
          body: JSON.stringify({ ...pick(MISDEEDS), times: 1 + Math.floor(random() * 3), match: { method: 'POST' } }),
        }),
    }
    const names = ['kill', 'flush', 'restartRedis', 'cutDatabase', 'misbehave', 'misbehave', 'misbehave'] as const
    const began = Date.now()
    for (let count = 0; count < COUNT && Date.now() - began < FAULTS_MS_MAX; count++) {
      await faults[pick(names)]!()
      await delay(random() * GAP_MS_MAX)
    }
    calm = true
    await fetch(`${site.sandbox.url}/_sandbox/misbehave`, { method: 'DELETE' })
    // The last one finds the counters as the last fault left them, and has them rebuilt.
    const last = { run: 'last', ...charge(100) }
    const ends = [...(await clients).flat(), await agent.insist(survivor.agent_url, last)]
    victim?.signal('SIGKILL')
    await victim?.ended

    // Answered by the provider (an error of its own included) or refused at the cap: nothing else ends a call.
    expect(
      ends.filter(({ status, code }) => code !== undefined && !(status === 403 && code === 'spend_cap_exceeded')),
    ).toEqual([])
    const { effects } = await expectInvariants(site, survivor, agent.heard)
    expect(new Set(effects.map(({ idempotency_key }) => idempotency_key)).size).toBe(
      ends.filter(({ status }) => status === 200).length,
    )
  })
})

/** Mulberry32: small, and the same everywhere. */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
