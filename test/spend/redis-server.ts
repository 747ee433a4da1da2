/** A redis-server of one's own, on a free port, with its data in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

export interface RedisServer {
  readonly url: string
  readonly port: number
  readonly admin: Redis
  /** Ends the process with this signal and waits for its end. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** Starts it again, on the same port and folder. */
  start(): Promise<void>
  readonly folder: string
  stop(): Promise<void>
}

export async function startRedisServer(...options: readonly string[]): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-redis-'))
  const port = await freePort()
  let child: ChildProcess
  const admin = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => 50, maxRetriesPerRequest: null })
  admin.on('error', () => {})

  const start = async () => {
    child = spawn(
      'redis-server',
      ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--loglevel', 'warning', ...options],
      { stdio: 'ignore' },
    )
    const failed = new Promise<never>((_resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)))
    })
    failed.catch(() => {})
    // The first tries are refused until the server listens; the ping waits through them.
    if (admin.status === 'wait') admin.connect().catch(() => {})
    await Promise.race([admin.ping(), failed])
  }
  const kill = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    admin,
    folder,
    kill,
    start,
    async stop() {
      admin.disconnect()
      await kill('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
