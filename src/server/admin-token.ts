/** The admin plane's one credential, compared in constant time. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { type Refusal, refuse } from '../model/refusal.ts'

/** Undefined where the credential is the admin token. */
export function adminRefusal(credential: string | null, token: string): Refusal | undefined {
  if (credential === null)
    return refuse('missing_credential', 'The request has no Authorization header.', {
      fix: 'Send Authorization: Bearer with the admin token.',
    })
  if (same(credential, token)) return undefined
  return refuse('unknown_key', 'This is not the admin token of this gateway.', {
    fix: 'The token was printed at first start, or is COUNTERSIGN_ADMIN_TOKEN.',
  })
}

function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
