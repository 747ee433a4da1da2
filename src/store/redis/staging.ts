/** A rehydration, written beside the living keys in chunks, and then put in their place by open-fence.lua in one step. */
import { randomBytes } from 'node:crypto'
import type { CounterState, Held } from '../../model/budget.ts'
import type { OpenReservation } from '../../model/counters.ts'
import type { Keys } from './keys.ts'
import type { Connection } from './script.ts'

const CHUNK_ENTRIES = 1000
/** An attempt that died leaves its staged keys; they go by themselves. A count guards against their going too soon. */
const STAGED_MS = 600_000
/** A counter whose window ended is kept for questions this long. */
const KEEP_ENDED_MS = 3 * 86_400_000

/** Counter name, amount as text (cjson would round a large one), and the end of the window. */
type StoredHeld = readonly [string, string, string?]

interface StoredReservation {
  readonly held: readonly StoredHeld[]
  readonly identities: readonly string[]
}

export const toStored = (held: readonly Held[], identities: readonly string[]): string =>
  JSON.stringify({
    held: held.map(({ counter, amount, ends_at }) => [
      counter,
      String(amount),
      ...(ends_at === undefined ? [] : [ends_at]),
    ]),
    identities,
  } satisfies { held: string[][]; identities: readonly string[] })

export function fromStored(text: string): Pick<OpenReservation, 'held' | 'identities'> {
  const { held, identities } = JSON.parse(text) as StoredReservation
  return {
    held: held.map(([counter, amount, ends_at]) => ({
      counter,
      amount: Number(amount),
      ...(ends_at === undefined ? {} : { ends_at }),
    })),
    identities,
  }
}

/** When a counter may be dropped, ms as text; '' for never. */
export const dropAt = (ends_at: string | undefined): string =>
  ends_at === undefined ? '' : String(Date.parse(ends_at) + KEEP_ENDED_MS)

interface Staged {
  /** counters, open, opened, ends, claims */
  readonly keys: readonly string[]
  readonly counts: readonly number[]
}

export async function stage(
  connection: Connection,
  keys: Keys,
  states: readonly (CounterState & { readonly ends_at?: string })[],
  open: readonly OpenReservation[],
): Promise<Staged> {
  const counters = new Map<string, string>()
  const records = new Map<string, string>()
  const opened = new Map<string, string>()
  const ends = new Map<string, string>()
  const claims = new Map<string, string>()
  const now = String(Date.now())

  for (const { counter, spent, reserved, ends_at } of states) {
    counters.set(`s:${counter}`, String(spent))
    counters.set(`r:${counter}`, String(reserved))
    if (ends_at !== undefined) ends.set(counter, dropAt(ends_at))
  }
  for (const { event_id, held, identities } of open) {
    records.set(event_id, toStored(held, identities))
    opened.set(event_id, now)
    for (const identity of identities) claims.set(identity, event_id)
  }

  const attempt = randomBytes(9).toString('base64url')
  const staged = [keys.counters, keys.open, keys.opened, keys.ends, keys.claims].map(
    (key) => `${key}:staged:${attempt}`,
  )
  const write = async (key: string, command: 'hset' | 'zadd', entries: ReadonlyMap<string, string>) => {
    let chunk: string[] = []
    let first = true
    const flush = async () => {
      await connection.call(command, key, ...chunk)
      if (first) await connection.pexpire(key, STAGED_MS)
      first = false
      chunk = []
    }
    for (const [name, value] of entries) {
      if (command === 'hset') chunk.push(name, value)
      else chunk.push(value, name)
      if (chunk.length >= 2 * CHUNK_ENTRIES) await flush()
    }
    if (chunk.length > 0) await flush()
  }
  await write(staged[0]!, 'hset', counters)
  await write(staged[1]!, 'hset', records)
  await write(staged[2]!, 'zadd', opened)
  await write(staged[3]!, 'zadd', ends)
  await write(staged[4]!, 'hset', claims)
  return { keys: staged, counts: [counters.size, records.size, opened.size, ends.size, claims.size] }
}
