/**
 * The request target as it was sent. Parsers on the way to a route smooth an odd path over (`/a/../b` becomes `/b`) or
 * refuse it without a word, so what is odd is kept aside and routed under a name that no route has: the drop-in door then
 * judges, refuses and records it as it was sent.
 */
import type { IncomingMessage } from 'node:http'
import { oddity } from '../model/path.ts'

const kept = new WeakMap<IncomingMessage, string>()
const STAND_IN = '/odd-path'

/** Before anything else looks at the request. */
export function keepTarget(incoming: IncomingMessage): void {
  const target = incoming.url ?? '/'
  if (oddity(splitTarget(target)[0]) === undefined) return
  kept.set(incoming, target)
  incoming.url = STAND_IN
}

export const targetOf = (incoming: IncomingMessage): string => kept.get(incoming) ?? incoming.url ?? '/'

/** Path and query, raw; the query without its question mark. */
export function splitTarget(target: string): [path: string, query: string] {
  const at = target.indexOf('?')
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)]
}
