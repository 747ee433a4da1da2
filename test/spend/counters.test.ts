import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { parse } from 'yaml'
import type { Counters } from '../../src/model/counters.ts'
import { createMemoryCounters } from '../../src/store/memory/index.ts'
import { createRedisCounters } from '../../src/store/redis/index.ts'
import { type Case, play } from './play.ts'
import { type RedisServer, startRedisServer } from './redis-server.ts'

const cases = parse(readFileSync(new URL('./counters.cases.yaml', import.meta.url), 'utf8')) as Case[]

describe('counters in memory', () => {
  const counters = createMemoryCounters()
  for (const [i, one] of cases.entries()) it(one.name, () => play(counters, `org ${i}`, one))
})

describe('counters on Redis', () => {
  let server: RedisServer
  let counters: Counters
  beforeAll(async () => {
    server = await startRedisServer()
    counters = createRedisCounters({ url: server.url, log: console })
  })
  afterAll(async () => {
    await counters.close()
    await server.stop()
  })
  for (const [i, one] of cases.entries()) it(one.name, () => play(counters, `org {${i}}`, one))
})

describe('counters on a Redis Cluster', () => {
  let server: RedisServer
  let counters: Counters
  beforeAll(async () => {
    server = await startRedisServer('--cluster-enabled', 'yes')
    await server.admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
    while (!String(await server.admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) {
      await new Promise((resume) => setTimeout(resume, 20))
    }
    counters = createRedisCounters({ url: `${server.url}?cluster=true`, log: console })
  })
  afterAll(async () => {
    await counters.close()
    await server.stop()
  })
  for (const [i, one] of cases.entries()) it(one.name, () => play(counters, `org {${i}}`, one))
})
