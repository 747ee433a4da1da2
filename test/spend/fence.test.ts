/** A Redis that lost its memory, or any part of it, admits nothing: whichever way it was lost. */
import { readdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, expect, it } from 'vitest'
import type { Counters } from '../../src/model/counters.ts'
import { newEventId } from '../../src/model/id.ts'
import { link } from '../../src/store/redis/connect.ts'
import { createRedisCounters } from '../../src/store/redis/index.ts'
import { inOrder, keysOf } from '../../src/store/redis/keys.ts'
import { CODES, run, SCRIPTS } from '../../src/store/redis/script.ts'
import { stage } from '../../src/store/redis/staging.ts'
import { type RedisOptions, type RedisService, startRedis } from '../services/redis.ts'
import { line } from './play.ts'

const ORG = 'acme'
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function redis(options?: RedisOptions): Promise<RedisService> {
  const service = await startRedis(options)
  cleanups.push(() => service.remove())
  return service
}

const quiet = { warn() {} }

function countersOn(service: RedisService): Counters {
  const counters = createRedisCounters({ url: service.url, log: quiet })
  cleanups.push(() => counters.close())
  return counters
}

function adminOf(service: RedisService): Redis {
  const admin = new Redis(service.url)
  cleanups.push(async () => admin.disconnect())
  return admin
}

const take = (counters: Counters, amount = 10, cap = 100) =>
  counters.reserve({
    organisation: ORG,
    event_id: newEventId(),
    identities: [],
    lines: [line({ on: 'a', amount, cap })],
  })

async function open(counters: Counters, generation = 1): Promise<void> {
  await counters.startRehydration(ORG, generation - 1, 1000)
  await counters.rehydrate(ORG, generation, [], [])
}

/** What the first answer is, once the connection is back; no answer is no admission. */
async function firstAnswer(counters: Counters): Promise<string> {
  for (;;) {
    const answer = await take(counters).catch(() => null)
    if (answer !== null) return answer.kind
    await new Promise((resume) => setTimeout(resume, 20))
  }
}

it('admits nothing after FLUSHALL', async () => {
  const service = await redis()
  const counters = countersOn(service)
  await open(counters)
  expect((await take(counters)).kind).toBe('reserved')
  await service.flush()
  expect((await take(counters)).kind).toBe('fenced')
  await expect(counters.read(ORG, ['a'])).rejects.toMatchObject({ code: 'counters_rehydrating' })
})

it('admits nothing once the key with the counters was evicted or deleted', async () => {
  const service = await redis()
  const counters = countersOn(service)
  await open(counters)
  await take(counters)
  await adminOf(service).del(keysOf(ORG).counters)
  expect((await take(counters)).kind).toBe('fenced')
})

it('admits nothing after a restart, though its log brought every key back', async () => {
  const service = await redis({ appendonly: true })
  const counters = countersOn(service)
  await open(counters)
  await take(counters)
  await service.stop('fast')
  await service.start()
  expect(await firstAnswer(counters)).toBe('fenced')
  expect(await adminOf(service).hget(keysOf(ORG).counters, 'r:a')).toBe('10')
})

it('admits nothing after it was killed and its log lost the end', async () => {
  const service = await redis({ appendonly: true })
  const counters = countersOn(service)
  await open(counters)
  await take(counters)
  const folder = join(((await adminOf(service).config('GET', 'dir')) as string[])[1]!, 'appendonlydir')
  const whole = statSync(logIn(folder)).size
  await take(counters, 70)
  await service.stop('kill')
  truncateSync(logIn(folder), whole)
  await service.start()
  expect(await firstAnswer(counters)).toBe('fenced')
  expect(await adminOf(service).hget(keysOf(ORG).counters, 'r:a')).toBe('10')
  await counters.rehydrate(ORG, 2, [{ counter: 'a', spent: 80, reserved: 0 }], [])
  expect((await take(counters, 21)).kind).toBe('capped')
  expect((await take(counters, 20)).kind).toBe('reserved')
})

const logIn = (folder: string): string => join(folder, readdirSync(folder).find((name) => name.endsWith('.incr.aof'))!)

it('admits nothing at a replica that was promoted, nor at the first server after it was promoted back', async () => {
  const at_once = { args: ['--repl-diskless-sync-delay', '0'] }
  const [first, second] = await Promise.all([redis(at_once), redis(at_once)])
  const [admin, other] = [adminOf(first), adminOf(second)]
  const counters = countersOn(first)
  const elsewhere = countersOn(second)
  await other.replicaof('127.0.0.1', first.port)
  await inSync(other)
  await open(counters)
  await take(counters)
  while ((await other.hget(keysOf(ORG).counters, 'r:a')) !== '10') await new Promise((resume) => setTimeout(resume, 5))

  await other.replicaof('NO', 'ONE')
  expect((await take(elsewhere)).kind).toBe('fenced')

  // Spent on the first server after the other had left: this is lost when the other becomes its source.
  expect((await take(counters, 90)).kind).toBe('reserved')
  await admin.replicaof('127.0.0.1', second.port)
  await inSync(admin)
  await admin.replicaof('NO', 'ONE')
  expect(await admin.hget(keysOf(ORG).counters, 'r:a')).toBe('10')
  expect((await take(counters, 90)).kind).toBe('fenced')
})

async function inSync(replica: Redis): Promise<void> {
  while (!(await replica.info('replication')).includes('master_link_status:up')) {
    await new Promise((resume) => setTimeout(resume, 20))
  }
}

it('does not open on a staged rehydration of which the server lost a part', async () => {
  const service = await redis()
  const { connection, ready } = link(service.url)
  cleanups.push(async () => connection.disconnect())
  await ready()
  const keys = keysOf(ORG)
  const states = Array.from({ length: 2500 }, (_, i) => ({ counter: `c${i}`, spent: i, reserved: 0 }))
  const openFence = (staged: Awaited<ReturnType<typeof stage>>) =>
    run(connection, SCRIPTS.openFence, [...inOrder(keys), ...staged.keys, keys.lease], [1, ...staged.counts])

  const partly = await stage(connection, keys, states, [])
  await connection.hdel(partly.keys[0]!, 's:c7')
  expect(await openFence(partly)).toBe(CODES.openFence.lost)

  const flushed = await stage(connection, keys, states, [])
  await service.flush()
  expect(await openFence(flushed)).toBe(CODES.openFence.lost)
  expect((await take(countersOn(service))).kind).toBe('fenced')

  expect(await openFence(await stage(connection, keys, states, []))).toBe(CODES.openFence.open)
  expect(await connection.keys('*staged*')).toEqual([])
  expect(await connection.pttl(keys.counters)).toBe(-1)
})

it('rejects while Redis is away, and is back, fenced, when Redis is', async () => {
  const service = await redis()
  const counters = countersOn(service)
  await open(counters)
  await service.stop('kill')
  await expect(take(counters)).rejects.toThrow()
  await expect(counters.ping()).rejects.toThrow()
  await service.start()
  expect(await firstAnswer(counters)).toBe('fenced')
})

it('rejects while Redis does not answer, and what it did in the meantime counts once when asked again', async () => {
  const service = await redis()
  const counters = countersOn(service)
  await open(counters)
  const admission = {
    organisation: ORG,
    event_id: newEventId(),
    identities: ['one call'],
    lines: [line({ on: 'a', amount: 10, cap: 100 })],
  }
  await adminOf(service).call('CLIENT', 'PAUSE', '1300', 'WRITE')
  await expect(counters.reserve(admission)).rejects.toThrow()
  let again = await counters.reserve(admission).catch(() => null)
  while (again === null) again = await counters.reserve(admission).catch(() => null)
  expect(again.kind).toBe('reserved')
  expect(await counters.read(ORG, ['a'])).toEqual([{ counter: 'a', spent: 0, reserved: 10 }])
  expect(await counters.stale(ORG, 0)).toHaveLength(1)
})

it('gives the lease to one gateway at a time, to the same one again, and to the next when it has run out', async () => {
  const service = await redis()
  const [one, two] = [countersOn(service), countersOn(service)]
  expect(await one.startRehydration(ORG, 0, 60_000)).toBe('yours')
  expect(await two.startRehydration(ORG, 0, 60_000)).toBe('busy')
  expect(await one.startRehydration(ORG, 0, 1)).toBe('yours')
  await new Promise((resume) => setTimeout(resume, 20))
  expect(await two.startRehydration(ORG, 0, 60_000)).toBe('yours')
  await two.rehydrate(ORG, 1, [], [])
  expect(await one.startRehydration(ORG, 0, 60_000)).toBe('open')
})

it('drops a counter some days after its window ended, and never one that holds something', async () => {
  const service = await redis()
  const counters = countersOn(service)
  const admin = adminOf(service)
  await open(counters)
  // Kept for three days, which are over in a moment.
  const ends_at = new Date(Date.now() - 3 * 86_400_000 + 300).toISOString()
  const held = newEventId()
  for (const [event_id, on] of [
    [newEventId(), 'settled'],
    [held, 'held'],
  ] as const) {
    const lines = [line({ on, amount: 5, cap: 100, ends_at })]
    await counters.reserve({ organisation: ORG, event_id, identities: [], lines })
    if (on === 'settled') await counters.settle(ORG, event_id, [{ counter: on, amount: 5, ends_at }], 0)
  }
  await new Promise((resume) => setTimeout(resume, 400))
  for (let i = 0; i < 3; i++) await take(counters)
  const { counters: key } = keysOf(ORG)
  expect(await admin.hmget(key, 's:settled', 'r:settled', 'r:held')).toEqual([null, null, '5'])
})

it('forgets the claims whose time is over', async () => {
  const service = await redis()
  const counters = countersOn(service)
  const admin = adminOf(service)
  await open(counters)
  const event_id = newEventId()
  await counters.reserve({ organisation: ORG, event_id, identities: ['i', 'j'], lines: [] })
  await counters.settle(ORG, event_id, [], 1)
  await new Promise((resume) => setTimeout(resume, 20))
  await take(counters)
  expect(await admin.exists(keysOf(ORG).claims, keysOf(ORG).freeing)).toBe(0)
})

it('rehydrates a hundred thousand counters', async () => {
  const service = await redis()
  const counters = countersOn(service)
  const states = Array.from({ length: 100_000 }, (_, i) => ({ counter: `c${i}`, spent: i, reserved: 0 }))
  await counters.startRehydration(ORG, 0, 60_000)
  await counters.rehydrate(ORG, 1, states, [])
  const read = await counters.read(ORG, ['c0', 'c50000', 'c99999'])
  expect(read.map(({ spent }) => spent)).toEqual([0, 50_000, 99_999])
})
