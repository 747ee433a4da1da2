/** Which credential came with a request, and whether it is a secret key of this sandbox. */
import { createHash } from 'node:crypto'
import type { SeenCredential } from './effects.ts'
import { type StripeError, unauthenticated } from './error.ts'

interface Credential {
  readonly seen: SeenCredential
  /** Why it is refused; absent for a secret key that is accepted. */
  readonly refusal?: StripeError
}

const CACHED_MAX = 1_000
const ANY_TEST_KEY = /^sk_test_\w+$/

/** Answers for an `Authorization` header. `secretKey`: the one key that is accepted; by default any `sk_test_…`. */
export function authenticator(secretKey?: string): (header: string | undefined) => Credential {
  const accepts = (secret: string) => (secretKey === undefined ? ANY_TEST_KEY.test(secret) : secret === secretKey)
  // Clients send one key thousands of times: its digest is taken once.
  const known = new Map<string, Credential>()
  return (header) => {
    if (header === undefined) return NONE
    const cached = known.get(header)
    if (cached) return cached
    const credential = read(header, accepts)
    if (known.size >= CACHED_MAX) known.clear()
    known.set(header, credential)
    return credential
  }
}

const NONE: Credential = {
  seen: { kind: 'none', prefix: null, sha256: null },
  refusal: unauthenticated(
    "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
  ),
}

function read(header: string, accepts: (secret: string) => boolean): Credential {
  const [, scheme = '', value = ''] = /^(\S+)\s+(\S+)\s*$/.exec(header) ?? []
  const kind = scheme.toLowerCase() === 'bearer' ? 'bearer' : scheme.toLowerCase() === 'basic' ? 'basic' : 'other'
  const secret = kind === 'basic' ? Buffer.from(value, 'base64').toString().split(':', 1)[0]! : value
  const prefix = /^([a-z]{2,3}(?:_(?:test|live))?)_/.exec(secret)?.[1] ?? null
  const sha256 = createHash('sha256').update(secret).digest('hex').slice(0, 12)
  const seen = { kind, prefix, sha256 } as const
  if (kind !== 'other' && accepts(secret)) return { seen }
  return { seen, refusal: unauthenticated(`Invalid API Key provided: ${prefix === null ? '' : `${prefix}_`}****`) }
}
