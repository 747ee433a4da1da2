/** A Lua script in its own file, run by its digest; its head comment is the contract. The build copies *.lua beside this file. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Cluster, Redis } from 'ioredis'

export type Connection = Redis | Cluster

export interface Script {
  readonly lua: string
  readonly sha: string
}

/** Lua's reply: integers and texts. */
export type Reply = readonly (number | string)[]

const load = (name: string): Script => {
  const lua = readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8')
  return { lua, sha: createHash('sha1').update(lua).digest('hex') }
}

export const SCRIPTS = {
  reserve: load('reserve'),
  settle: load('settle'),
  read: load('read'),
  stale: load('stale'),
  startRehydration: load('start-rehydration'),
  openFence: load('open-fence'),
} as const

/** The codes that the scripts answer with, as their head comments say. */
export const CODES = {
  reserve: { reserved: 1, twin: 2, capped: 3, fenced: 4 },
  settle: { absent: 0, moved: 1 },
  read: { states: 1, fenced: 4 },
  startRehydration: { open: 1, busy: 2, yours: 3 },
  openFence: { open: 1, older: 2, lost: 3 },
} as const

export async function run(
  connection: Connection,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await connection.evalsha(script.sha, keys.length, ...keys, ...args)
  } catch (error) {
    // The script cache is empty after a restart. NOSCRIPT means that nothing ran, so that sending it whole is no repeat.
    if (error instanceof Error && error.message.startsWith('NOSCRIPT')) {
      return await connection.eval(script.lua, keys.length, ...keys, ...args)
    }
    throw error
  }
}
