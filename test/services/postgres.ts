/** A PostgreSQL of the tests' own, in a folder that goes away with it. It syncs to disk, as a real one does. */
import { execFileSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { freePort, launch, type Running } from './process.ts'
import { postgresFolder } from './programs.ts'

export interface PostgresOptions {
  /** More `name=value` settings. */
  readonly settings?: readonly string[]
}

export interface PostgresService {
  /** The database `postgres` over TCP. */
  readonly url: string
  /** The folder of its unix socket. */
  readonly socketFolder: string
  readonly port: number
  readonly binFolder: string
  /** `fast` breaks connections off and shuts down in order; `kill` is SIGKILL for it and every process of its own. */
  stop(how: 'fast' | 'kill'): Promise<void>
  /** Again, on the same data and port. */
  start(): Promise<void>
  /** The server's connections hang while it is paused: nothing answers, nothing is refused. */
  pause(): void
  resume(): void
  /** Stops it and removes its folder. */
  remove(): Promise<void>
}

const SETTINGS = ['listen_addresses=127.0.0.1', 'max_connections=200', 'shared_buffers=128MB', 'logging_collector=off']

export async function startPostgres({ settings = [] }: PostgresOptions = {}): Promise<PostgresService> {
  const binFolder = postgresFolder()
  const folder = mkdtempSync(join(tmpdir(), 'countersign-postgres-'))
  const owner = otherUser()
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid)
  const data = join(folder, 'data')
  execFileSync(
    join(binFolder, 'initdb'),
    ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'],
    { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder, ...owner },
  )
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const flags = [...SETTINGS, `unix_socket_directories=${folder}`, `port=${port}`, ...settings]
  let running: Running | undefined

  async function start(): Promise<void> {
    running = await launch({
      program: join(binFolder, 'postgres'),
      args: ['-D', data, ...flags.flatMap((flag) => ['-c', flag])],
      cwd: folder,
      answers: () => connectOnce(url),
      ...owner,
    })
  }

  async function stop(how: 'fast' | 'kill'): Promise<void> {
    if (how === 'fast') running?.signal('SIGINT')
    else signalAll(running, 'SIGKILL')
    await running?.ended
    running = undefined
  }

  await start()
  return {
    url,
    socketFolder: folder,
    port,
    binFolder,
    start,
    stop,
    pause: () => signalAll(running, 'SIGSTOP'),
    resume: () => signalAll(running, 'SIGCONT'),
    remove: async () => {
      signalAll(running, 'SIGCONT')
      await stop('fast')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** PostgreSQL refuses to run as root, so root runs it as the system's `postgres`, or else as `nobody`. */
function otherUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const idOf = (flag: '-u' | '-g', user: string): number =>
    Number(execFileSync('id', [flag, user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  for (const user of ['postgres', 'nobody']) {
    try {
      return { uid: idOf('-u', user), gid: idOf('-g', user) }
    } catch {
      // No such user here: the next.
    }
  }
  throw new Error('PostgreSQL does not run as root, and this machine has neither a user postgres nor a user nobody')
}

async function connectOnce(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 })
  client.on('error', () => {})
  await client.connect()
  await client.end()
}

/** The postmaster and the servers that it has forked: each connection is a process. */
function signalAll(running: Running | undefined, name: NodeJS.Signals): void {
  if (running === undefined) return
  const forked = execFileSync('ps', ['-o', 'pid=', '--ppid', String(running.pid)], { encoding: 'utf8' })
  for (const pid of [running.pid, ...forked.split('\n').map(Number).filter(Boolean)]) {
    try {
      process.kill(pid, name)
    } catch {
      // A server that has ended meanwhile.
    }
  }
}
