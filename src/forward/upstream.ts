/** The way to one provider: one pinned origin, its connections, its credential. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import type { Intent } from '../model/intent.ts'
import type { JsonObject } from '../model/operation.ts'
import type { Outcome } from '../model/outcome.ts'
import { type Refusal, refuse } from '../model/refusal.ts'
import { attempt } from './attempt.ts'
import { hear } from './judge.ts'
import { type Time, UPSTREAM_LIMITS, type UpstreamOptions } from './options.ts'
import { isOriginForm, pinned } from './origin.ts'
import { send, type Way } from './send.ts'
import { fixedHeaders, lookup } from './wire.ts'

export interface Upstream {
  /**
   * Sends the intent, and again where that is safe: same bytes, same key. Always ends in an outcome, and never rejects
   * for what network or provider did. An abort of `signal` gives up at once, with the outcome as it then stands.
   */
  send(intent: Intent, signal?: AbortSignal): Promise<Outcome>
  /**
   * The same for an intent that may have left before (a crash, an unknown outcome): what this sending shows must speak
   * for the earlier ones too, or the outcome stays `unknown`. What could act twice by then is not sent.
   */
  resend(intent: Intent, signal?: AbortSignal): Promise<Outcome>
  /**
   * One object of the provider, for enrichment. `path` is in origin-form with its parts percent-encoded. Refusals:
   * `enrichment_failed` where the provider has no such object, `upstream_failed` where it does not answer, `credential_missing`, `draining`.
   */
  read(path: string, organisation: string): Promise<JsonObject | Refusal>
  /** Takes nothing new, waits for what runs, closes the connections. */
  close(): Promise<void>
}

const REAL_TIME: Time = {
  now: () => performance.timeOrigin + performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal && { signal }),
  random: Math.random,
}

/** A look-up is harmless, and an agent waits for it: one more try, at once. */
const LOOKUP_TRIES = 2

/** Throws a fault, for the operator, where the origin or a fixed header cannot be used. */
export function createUpstream(options: UpstreamOptions): Upstream {
  const { rules, log } = options
  const limits = { ...UPSTREAM_LIMITS, ...options.limits }
  const fixed = fixedHeaders(options.headers)
  const origin = pinned(options.origin)
  const pool = new Pool(origin, {
    connections: limits.connections,
    pipelining: 1,
    allowH2: false,
    // Said, because the environment can turn the default off, and a credential goes through here.
    connect: { timeout: limits.connect_ms, rejectUnauthorized: true },
    keepAliveTimeout: limits.keep_alive_ms,
    // One limit holds over all parts of an attempt, so that these would only fire late.
    headersTimeout: 0,
    bodyTimeout: 0,
  })

  let closed = false
  const way: Way = {
    closed: () => closed,
    rules,
    limits,
    fixed,
    log,
    time: options.time ?? REAL_TIME,
    credential: async (organisation) => {
      try {
        return (await options.credential(organisation)) || null
      } catch (error) {
        // The name alone: an error's text may hold what it failed to open.
        log.warn({ origin, error: (error as Error).name }, 'the upstream credential could not be read')
        return null
      }
    },
    once: async (request, time_ms, signal) =>
      isOriginForm(request.path)
        ? attempt(pool, request, { time_ms, bytes: limits.response_bytes_max }, signal)
        : { sent: false, why: 'the path is not in origin-form' },
  }

  const running = new Set<Promise<unknown>>()
  const track = <T>(work: Promise<T>): Promise<T> => {
    running.add(work)
    const done = () => running.delete(work)
    work.then(done, done)
    return work
  }

  return {
    send: (intent, signal) => track(send(way, intent, false, signal)),
    resend: (intent, signal) => track(send(way, intent, true, signal)),
    read: (path, organisation) => track(look(way, path, organisation)),
    async close() {
      closed = true
      while (running.size > 0) await Promise.allSettled(running)
      // Not its own `close`: that waits for requests that nobody waits for any more.
      await pool.destroy()
    },
  }
}

async function look(way: Way, path: string, organisation: string): Promise<JsonObject | Refusal> {
  if (way.closed()) return refuse('draining', 'The object that the call names was not read.')
  const credential = await way.credential(organisation)
  if (credential === null) return refuse('credential_missing', 'The object that the call names could not be read.')
  const request = lookup(path, way.fixed, credential)
  for (let tries = 1; ; tries += 1) {
    const told = hear(await way.once(request, way.limits.read_ms), way.rules, credential)
    const { finding, detail, answer } = told
    if (finding === 'done' && isObject(answer?.body)) return answer.body
    if (finding === 'missing' || finding === 'rejected') return refuse('enrichment_failed', `GET ${path}: ${detail}.`)
    if (tries === LOOKUP_TRIES) return refuse('upstream_failed', `GET ${path}: ${detail}.`)
  }
}

const isObject = (body: unknown): body is JsonObject =>
  typeof body === 'object' && body !== null && !Array.isArray(body)
