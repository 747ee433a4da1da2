/** A service's own process: started, watched until it answers, stopped or killed by its own id. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export interface Running {
  readonly pid: number
  signal(name: NodeJS.Signals): void
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>
}

export interface Launch {
  readonly program: string
  readonly args: readonly string[]
  readonly uid?: number
  readonly gid?: number
  readonly cwd: string
  /** Resolves once the service answers; is asked again until it does. */
  readonly answers: () => Promise<void>
}

const START_MS_MAX = 30_000

export async function launch({ program, args, uid, gid, cwd, answers }: Launch): Promise<Running> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  })
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said.push(text)
      if (said.length > 200) said.shift()
    })
  }
  const ended = endOf(child)
  let over = false
  void ended.then(() => {
    over = true
  })
  const deadline = Date.now() + START_MS_MAX
  for (;;) {
    try {
      await answers()
      break
    } catch (error) {
      if (over || Date.now() > deadline) {
        child.kill('SIGKILL')
        throw new Error(`${program} did not start: ${said.join('').trim() || String(error)}`)
      }
      await delay(25)
    }
  }
  return { pid: child.pid!, signal: (name) => child.kill(name), ended }
}

const endOf = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
