/** A server under measurement: started, awaited, its CPU time read, ended by its own id. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freshFolder } from './scratch.ts'

export interface Server {
  readonly url: string
  /** CPU seconds of the process and its children so far. */
  cpu_s(): number
  stop(): Promise<void>
}

interface Start {
  readonly program: string
  readonly args: readonly string[]
  readonly url: string
  /** Path that answers 200 once it is ready. */
  readonly ready: string
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
}

const START_MS_MAX = 30_000
const POLL_MS = 5

/** What an aborted run would leave behind. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** What it writes goes to a file, as a log would. */
export async function start({ program, args, url, ready, env = {}, cwd }: Start): Promise<Server> {
  const log = join(freshFolder('log'), 'output')
  const output = openSync(log, 'w')
  const child = spawn(program, args, {
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env },
    ...(cwd && { cwd }),
  })
  closeSync(output)
  const ended = new Promise<void>((done) => {
    child.once('exit', () => done())
    child.once('error', () => done())
  })
  running.add(child)
  const deadline = Date.now() + START_MS_MAX
  while (!(await answers(`${url}${ready}`))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL')
      throw new Error(`${program} ${args.join(' ')} did not start:\n${readFileSync(log, 'utf8')}`)
    }
    await delay(POLL_MS)
  }
  return {
    url,
    cpu_s: () => cpuSeconds(child.pid!),
    async stop() {
      child.kill('SIGTERM')
      await ended
      running.delete(child)
    },
  }
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    async (answer) => {
      await answer.arrayBuffer()
      return answer.ok
    },
    () => false,
  )

/** utime and stime of /proc, in the kernel's ticks of 10 ms. */
const TICKS_PER_S = 100

function cpuSeconds(pid: number): number {
  const all = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  const family = all.map((line) => line.trim().split(/\s+/).map(Number)).filter((ids) => ids.includes(pid))
  return family.reduce((sum, [each]) => {
    const fields = readFileSync(`/proc/${each}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return sum + (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S
  }, 0)
}
