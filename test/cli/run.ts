/** The commands as a process, and a gateway that `serve` started: what an operator has. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

/** As built: what `npx countersign` runs. `make test` builds first. */
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export type Environment = Readonly<Record<string, string>>
export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}
export interface Place {
  readonly cwd: string
  readonly env?: Environment
}

/** Nothing of the tester's own environment reaches the command but what a process needs. */
function start(args: readonly string[], { cwd, env = {} }: Place, main = MAIN): ChildProcess {
  const { PATH = '', HOME = '' } = process.env
  return spawn(process.execPath, [main, ...args], { cwd, env: { PATH, HOME, ...env } })
}

export async function run(args: readonly string[], place: Place): Promise<Ran> {
  const child = start(args, place)
  const code = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [out, err] = await Promise.all([text(child.stdout!), text(child.stderr!)])
  return { code: await code, out, err }
}

/** Collects what a command writes until `enough` is there, and then ends the command. */
export async function until(args: readonly string[], place: Place, enough: (out: string) => boolean): Promise<string> {
  const child = start(args, place)
  let out = ''
  for await (const piece of child.stdout!) {
    out += piece
    if (enough(out)) break
  }
  child.kill('SIGKILL')
  return out
}

export interface Served {
  /** Where the other commands find this gateway. */
  readonly env: Environment
  readonly said: () => string
  /** With SIGTERM; answers the exit code. */
  stop(): Promise<number | null>
}

/** `main`: of another copy of the package. */
export async function serve({ cwd, env = {} }: Place, main?: string): Promise<Served> {
  const ports = { COUNTERSIGN_PORT: '0', COUNTERSIGN_ADMIN_PORT: '0' }
  const child = start(['serve'], { cwd, env: { COUNTERSIGN_SANDBOX: '1', ...ports, ...env } }, main)
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  let said = ''
  child.stdout!.resume()
  const urls = await new Promise<readonly [string, string]>((resolve, reject) => {
    child.stderr!.on('data', (piece) => {
      said += piece
      const agent = /agent plane +(http\S+)/.exec(said)?.[1]
      const admin = /admin plane +(http\S+)/.exec(said)?.[1]
      if (agent && admin && said.includes('policy ')) resolve([agent, admin])
    })
    void ended.then((code) => reject(new Error(`serve ended with ${code}: ${said}`)))
  })
  return {
    env: { COUNTERSIGN_URL: urls[0], COUNTERSIGN_ADMIN_URL: urls[1] },
    said: () => said,
    stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}

export interface Folder {
  readonly path: string
  remove(): void
}

export function folder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'countersign-cli-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
