/** One intent to its outcome: attempts under one key, until one tells or no further one is safe. */
import type { EventId } from '../model/id.ts'
import type { Intent } from '../model/intent.ts'
import type { Outcome, OutcomeKind } from '../model/outcome.ts'
import type { Attempt, Request } from './attempt.ts'
import { hear, judge, type Told } from './judge.ts'
import type { Log, Time, UpstreamLimits } from './options.ts'
import type { ProviderRules } from './outcome-table.ts'
import { delay, retryAfter } from './retry.ts'
import { type FixedHeaders, wire } from './wire.ts'

/** What `createUpstream` has ready. */
export interface Way {
  readonly rules: ProviderRules
  readonly limits: UpstreamLimits
  readonly fixed: FixedHeaders
  readonly time: Time
  readonly log: Log
  readonly credential: (organisation: string) => Promise<string | null>
  readonly closed: () => boolean
  /** One request on the wire, once. Never rejects. */
  readonly once: (request: Request, time_ms: number, signal?: AbortSignal) => Promise<Attempt>
}

export async function send(way: Way, intent: Intent, sentBefore: boolean, signal?: AbortSignal): Promise<Outcome> {
  const { rules, limits, time, log } = way
  const { operation, event_id } = intent
  const began = time.now()
  const deadline = began + limits.retry_for_ms
  /** Whether an attempt before the next one may have acted. */
  let open = sentBefore && operation.effect === 'write'
  let attempts = 0

  const outcome = (kind: OutcomeKind, told: Pick<Told, 'detail' | 'answer' | 'request_id'>): Outcome => ({
    kind,
    detail: told.detail,
    attempts,
    latency_ms: Math.round(time.now() - began),
    ...(told.answer && { answer: told.answer }),
    ...(told.request_id !== undefined && { upstream_request_id: told.request_id }),
  })
  /** Where this sending has no word to add, earlier ones stay as open as they were. */
  const nothingSent = (why: string) => outcome(open ? 'unknown' : 'failed', { detail: `nothing was sent: ${why}` })

  if (way.closed()) return nothingSent('the gateway is shutting down')
  if (open) {
    const danger = dangerOfRepeating(intent, rules, began)
    if (danger !== null) return nothingSent(danger)
  }
  const credential = await way.credential(intent.organisation)
  if (credential === null) return nothingSent('the gateway holds no credential for this provider')
  const request = wire(intent, way.fixed, credential)

  for (let tries = 1; ; tries += 1) {
    const result = await way.once(request, limits.attempt_ms, signal)
    if (result.sent) attempts += 1
    const told = hear(result, rules, credential)
    const judged = judge(operation, result, told, open)
    open ||= judged.open

    const asked_ms = retryAfter(told.retry_after, time.now())
    const wait_ms = delay(limits.retries, tries, asked_ms, deadline - time.now(), time.random)
    if (!judged.again || wait_ms === null || signal?.aborted) return outcome(judged.kind, told)
    const { finding, detail } = told
    log.warn(
      { event_id, operation: operation.name, tries, finding, detail, wait_ms },
      'sending again under the same key',
    )
    try {
      await time.sleep(wait_ms, signal)
    } catch {
      return outcome(judged.kind, told)
    }
  }
}

/** Why the same bytes may not leave once more; null where they may. */
function dangerOfRepeating({ operation, event_id }: Intent, rules: ProviderRules, now_ms: number): string | null {
  if (operation.retry === 'never') return 'a repeat of this operation could act twice'
  if (operation.retry === 'keyed' && now_ms - mintedAt(event_id) > rules.key_memory_ms) {
    return 'the provider may have forgotten the key by now, and a repeat could act twice'
  }
  return null
}

/** The first 48 bits of a UUIDv7 are its milliseconds since 1970. */
const mintedAt = (id: EventId): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
