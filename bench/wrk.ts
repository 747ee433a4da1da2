/** The load generator: wrk, closed loop, so that n connections are n clients that each wait for their answer. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { scratchFolder } from './scratch.ts'

interface Load {
  readonly url: string
  /** A template: each `@@` becomes a number that no other request has. */
  readonly body: string
  readonly content_type: string
  readonly bearer?: string
}

export interface Figures {
  readonly per_second: number
  readonly p50_ms: number
  readonly p99_ms: number
}

interface Reported extends Omit<Figures, 'per_second'> {
  readonly requests: number
  readonly seconds: number
  readonly failed: number
}

const LUA = fileURLToPath(new URL('load.lua', import.meta.url))
const run = promisify(execFile)
let runs = 0

/** Throws where any request failed or was answered with an error: a refusal is quick, and would flatter the figures. */
export async function load({ url, body, content_type, bearer = '' }: Load, clients: number, seconds: number) {
  runs += 1
  const template = join(scratchFolder(), `body-${runs}`)
  writeFileSync(template, body)
  const name = `${process.pid}-${runs}`
  const flags = ['-t1', `-c${clients}`, `-d${seconds}s`, '--timeout', '10s', '-s', LUA]
  const { stdout } = await run('wrk', [...flags, url, '--', template, content_type, bearer, name])
  const line = /^figures (.*)$/m.exec(stdout)?.[1]
  if (!line) throw new Error(`wrk reported nothing:\n${stdout}`)
  const reported = JSON.parse(line) as Reported
  if (reported.failed > 0 || reported.requests === 0)
    throw new Error(`${reported.failed} of ${reported.requests} requests to ${url} failed:\n${stdout}`)
  const { requests, seconds: took, p50_ms, p99_ms } = reported
  return { per_second: requests / took, p50_ms, p99_ms } satisfies Figures
}
