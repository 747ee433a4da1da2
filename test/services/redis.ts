/** A Redis of the tests' own, in a folder that goes away with it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort, launch, type Running } from './process.ts'
import { redisProgram } from './programs.ts'

export interface RedisOptions {
  /** Keeps its data across a restart, synced each second as most do: a kill may lose the last of it. Default: keeps nothing. */
  readonly appendonly?: boolean
  readonly port?: number
  /** More `--name value` pairs. */
  readonly args?: readonly string[]
}

export interface RedisService {
  readonly url: string
  readonly port: number
  stop(how: 'fast' | 'kill'): Promise<void>
  start(): Promise<void>
  /** FLUSHALL: everything forgotten, with the process still the same. */
  flush(): Promise<void>
  /** Stops it and removes its folder. */
  remove(): Promise<void>
}

export async function startRedis({ appendonly = false, port, args = [] }: RedisOptions = {}): Promise<RedisService> {
  const program = redisProgram()
  const folder = mkdtempSync(join(tmpdir(), 'countersign-redis-'))
  const ownPort = port ?? (await freePort())
  const url = `redis://127.0.0.1:${ownPort}`
  const flags = ['--port', String(ownPort), '--bind', '127.0.0.1', '--dir', folder, '--save', '']
  const keeping = ['--appendonly', appendonly ? 'yes' : 'no', '--appendfsync', 'everysec']
  let running: Running | undefined

  async function start(): Promise<void> {
    running = await launch({
      program,
      args: [...flags, ...keeping, ...args],
      cwd: folder,
      answers: () => once(url, (client) => client.ping()),
    })
  }

  async function stop(how: 'fast' | 'kill'): Promise<void> {
    running?.signal(how === 'fast' ? 'SIGTERM' : 'SIGKILL')
    await running?.ended
    running = undefined
  }

  await start()
  return {
    url,
    port: ownPort,
    start,
    stop,
    flush: () => once(url, (client) => client.flushall()),
    remove: async () => {
      await stop('fast')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function once(url: string, ask: (client: Redis) => Promise<unknown>): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 })
  client.on('error', () => {})
  try {
    await client.connect()
    await ask(client)
  } finally {
    client.disconnect()
  }
}
