/** Ids as Stripe makes them: a prefix, and 24 letters and digits that nobody can guess. */
import { randomFillSync } from 'node:crypto'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const LENGTH = 24
/** Random bytes are drawn in bulk: one draw an id would be the dearest step of a request. */
const pool = Buffer.alloc(LENGTH * 512)
let used = pool.length

export function newId(prefix: string): string {
  if (used >= pool.length) {
    randomFillSync(pool)
    used = 0
  }
  let id = `${prefix}_`
  for (const end = used + LENGTH; used < end; used++) id += ALPHABET[pool[used]! % ALPHABET.length]
  return id
}
