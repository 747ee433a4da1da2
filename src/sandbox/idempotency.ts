/**
 * Idempotency keys as Stripe documents them, for POST only and for each account apart: the first request's status and
 * body are kept for 24 hours, once its endpoint has begun to run; a twin in flight is a conflict; a key never changes
 * its endpoint or its params.
 */
import { StripeError } from './error.ts'
import { canonical, parseForm } from './form.ts'

const KEPT_MS = 24 * 60 * 60 * 1000
const KEY_LENGTH_MAX = 255

export interface Saved {
  readonly status: number
  readonly body: string
  readonly request_id: string
}

interface Entry {
  readonly path: string
  /** The raw form: trees are only compared where the bytes differ. */
  readonly form: string
  readonly at: number
  saved?: Saved
}

/** The holder of a key that is in flight says how it ended: exactly one of the two, once. */
export interface Claim {
  save(saved: Saved): void
  /** Nothing is remembered: the next request with this key is a first one. */
  forget(): void
}

export class IdempotencyKeys {
  readonly #entries = new Map<string, Entry>()

  /** Throws 400 for a key that is too long or was used otherwise, 409 for one in flight. `now` in milliseconds. */
  begin(account: string, key: string, path: string, form: string, now: number): Claim | Saved {
    if (key.length > KEY_LENGTH_MAX) {
      throw error(400, `Idempotency keys must be at most ${KEY_LENGTH_MAX} characters long.`)
    }
    this.#expire(now)
    const name = `${account} ${key}`
    const known = this.#entries.get(name)
    if (known === undefined) return this.#claim(name, { path, form, at: now })
    if (known.saved === undefined) throw inUse(key)
    if (known.path !== path) throw otherEndpoint(key, known.path, path)
    if (known.form !== form && !sameForm(known.form, form)) throw otherParams(key)
    return known.saved
  }

  clear(): void {
    this.#entries.clear()
  }

  #claim(name: string, entry: Entry): Claim {
    const entries = this.#entries
    entries.set(name, entry)
    // After a reset the name may be another request's: only one's own entry is touched.
    const mine = () => entries.get(name) === entry
    return {
      save: (saved) => {
        entry.saved = saved
      },
      forget: () => {
        if (mine()) entries.delete(name)
      },
    }
  }

  /** Entries stand in the order of their time, so the expired ones are in front. */
  #expire(now: number): void {
    for (const [name, entry] of this.#entries) {
      if (now - entry.at < KEPT_MS) return
      this.#entries.delete(name)
    }
  }
}

function sameForm(one: string, other: string): boolean {
  try {
    return canonical(parseForm(one)) === canonical(parseForm(other))
  } catch {
    return false
  }
}

const error = (status: number, message: string): StripeError =>
  new StripeError(status, { type: 'idempotency_error', message }, 'validation')

const otherParams = (key: string) =>
  error(
    400,
    `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
  )

const otherEndpoint = (key: string, first: string, now: string) =>
  error(
    400,
    `Keys for idempotent requests can only be used for the same endpoint they were first used for ('${now}' vs '${first}'). Try using a key other than '${key}' if you meant to execute a different request.`,
  )

const inUse = (key: string) =>
  new StripeError(
    409,
    {
      type: 'invalid_request_error',
      code: 'idempotency_key_in_use',
      message: `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`,
    },
    'validation',
  )
