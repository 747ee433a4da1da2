import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { parse } from 'yaml'
import type { Counters } from '../../src/model/counters.ts'
import { createMemoryCounters } from '../../src/store/memory/index.ts'
import { createRedisCounters } from '../../src/store/redis/index.ts'
import { type RedisService, startRedis } from '../services/redis.ts'
import { type Case, play } from './play.ts'

const cases = parse(readFileSync(new URL('./counters.cases.yaml', import.meta.url), 'utf8')) as Case[]

describe('counters in memory', () => {
  const counters = createMemoryCounters()
  for (const [i, one] of cases.entries()) it(one.name, () => play(counters, `org {${i}}`, one))
})

describe('counters on Redis', () => {
  let service: RedisService
  let counters: Counters
  beforeAll(async () => {
    service = await startRedis()
    counters = createRedisCounters({ url: service.url, log: console })
  })
  afterAll(async () => {
    await counters.close()
    await service.remove()
  })
  for (const [i, one] of cases.entries()) it(one.name, () => play(counters, `org {${i}}`, one))
})

// One server with every slot refuses a script whose keys lie in several, as any cluster does.
describe('counters on a Redis Cluster', () => {
  let service: RedisService
  let counters: Counters
  beforeAll(async () => {
    service = await startRedis({ args: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'] })
    const admin = new Redis(service.url)
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
    while (!String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) {
      await new Promise((resume) => setTimeout(resume, 20))
    }
    await admin.config('SET', 'requirepass', 'p@ss:word')
    admin.disconnect()
    const at = `127.0.0.1:${service.port}`
    counters = createRedisCounters({ url: `redis://default:p%40ss%3Aword@${at},${at}?cluster=true`, log: console })
  })
  afterAll(async () => {
    await counters.close()
    await service.remove()
  })
  for (const [i, one] of cases.entries()) it(one.name, () => play(counters, `org {${i}}`, one))
})
