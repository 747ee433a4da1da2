/** The headers of a request: a closed list, none of them the caller's. */
import { upstreamKey } from '../model/id.ts'
import type { Intent } from '../model/intent.ts'
import type { Request } from './attempt.ts'

export type FixedHeaders = Readonly<Record<string, string>>

/** Names that a request sets for itself; fixed, they would override the credential, the key or the framing. */
const OWN = [
  'authorization',
  'connection',
  'content-length',
  'content-type',
  'host',
  'idempotency-key',
  'transfer-encoding',
  'user-agent',
]

/** Throws a fault for a name that may not be fixed. */
export function fixedHeaders(headers: FixedHeaders): FixedHeaders {
  for (const name of Object.keys(headers)) {
    if (name !== name.toLowerCase()) throw new Error(`The upstream header ${name} must be written in lower case.`)
    if (OWN.includes(name)) throw new Error(`The upstream header ${name} cannot be fixed: every request sets its own.`)
  }
  // An encoded answer would have to be inflated before it is bounded.
  return { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'countersign/0.1.0', ...headers }
}

/** Built once a send, so that every attempt is byte for byte the same. */
export function wire(intent: Intent, fixed: FixedHeaders, credential: string): Request {
  const { method, path, content_type, body } = intent.request
  return {
    method,
    path,
    headers: {
      ...fixed,
      authorization: `Bearer ${credential}`,
      ...(method !== 'GET' && { 'idempotency-key': upstreamKey(intent.event_id) }),
      ...(content_type !== undefined && { 'content-type': content_type }),
    },
    body: body === undefined ? null : Buffer.from(body),
  }
}

export const lookup = (path: string, fixed: FixedHeaders, credential: string): Request => ({
  method: 'GET',
  path,
  headers: { ...fixed, authorization: `Bearer ${credential}` },
  body: null,
})
