/**
 * The spend counters in process, for the embedded default: the same contract as on Redis, by the same test table. It
 * starts fenced, as its memory is empty after each start. Every method finishes in one turn of the event loop, which is
 * what makes it atomic.
 */
import type { CounterState } from '../../model/budget.ts'
import type { Admitted, Counters, OpenReservation } from '../../model/counters.ts'
import type { EventId } from '../../model/id.ts'
import { alertsOf, assertExact, fenced, heldBy, reservedIn } from '../../model/reservation.ts'

/** A counter whose window ended is kept for questions this long. */
const KEEP_ENDED_MS = 3 * 86_400_000
const SWEEP_EVERY_MS = 60_000

interface Counter {
  spent: number
  reserved: number
  /** ms; undefined: never. */
  drop_at: number | undefined
}

interface Claim {
  readonly event_id: EventId
  /** ms; undefined while the reservation is open. */
  readonly until?: number
}

interface Organisation {
  /** 0 while the fence is closed. */
  open_under: number
  /** The last generation that opened the fence. */
  generation: number
  counters: Map<string, Counter>
  open: Map<EventId, OpenReservation & { readonly at: number }>
  claims: Map<string, Claim>
  swept_at: number
}

export function createMemoryCounters(): Counters {
  const organisations = new Map<string, Organisation>()

  const of = (name: string): Organisation => {
    let organisation = organisations.get(name)
    if (organisation === undefined) {
      organisation = {
        open_under: 0,
        generation: 0,
        counters: new Map(),
        open: new Map(),
        claims: new Map(),
        swept_at: Date.now(),
      }
      organisations.set(name, organisation)
    }
    return organisation
  }

  return {
    async reserve({ organisation: name, event_id, identities, lines }): Promise<Admitted> {
      assertExact(lines)
      const held = heldBy(lines)
      const organisation = of(name)
      const { open_under: generation, counters, open, claims } = organisation
      if (generation === 0) return { kind: 'fenced' }
      const now = Date.now()

      for (const identity of identities) {
        const claim = claims.get(identity)
        if (claim !== undefined && claim.event_id !== event_id && (claim.until ?? Number.POSITIVE_INFINITY) > now) {
          return { kind: 'twin', event_id: claim.event_id }
        }
      }
      // A gateway that did not hear the answer may ask again: what this event holds already is not reserved twice.
      if (open.has(event_id)) return { kind: 'reserved', generation, alerts: [] }

      const states = lines.map(({ counter, window }) =>
        stateOf(counter, window === 'call' ? undefined : counters.get(counter)),
      )
      for (const [i, line] of lines.entries()) {
        const state = states[i]!
        if (line.amount > 0 && state.spent + state.reserved + line.amount > line.cap) {
          return { kind: 'capped', line, state }
        }
      }

      for (const { counter, amount, ends_at } of held) reach(counters, counter, ends_at).reserved += amount
      if (held.length > 0 || identities.length > 0) {
        open.set(event_id, { event_id, held, identities, at: now })
        for (const identity of identities) claims.set(identity, { event_id })
      }
      sweep(organisation, now)
      return { kind: 'reserved', generation, alerts: lines.flatMap((line, i) => alertsOf(line, states[i]!)) }
    },

    async settle(name, event, spent, keep_ms) {
      assertExact(spent)
      const { counters, open, claims } = of(name)
      const reservation = open.get(event)
      if (reservation === undefined) return false
      for (const { counter, amount, ends_at } of reservation.held) reach(counters, counter, ends_at).reserved -= amount
      for (const { counter, amount, ends_at } of spent) reach(counters, counter, ends_at).spent += amount
      for (const identity of reservation.identities) {
        if (claims.get(identity)?.event_id !== event) continue
        if (keep_ms > 0) claims.set(identity, { event_id: event, until: Date.now() + keep_ms })
        else claims.delete(identity)
      }
      open.delete(event)
      return true
    },

    async read(name, counters) {
      const organisation = of(name)
      if (organisation.open_under === 0) throw fenced(name)
      return counters.map((counter) => stateOf(counter, organisation.counters.get(counter)))
    },

    async stale(name, age_ms) {
      const latest = Date.now() - age_ms
      return [...of(name).open.values()]
        .filter(({ at }) => at <= latest)
        .map(({ event_id, held, identities }) => ({ event_id, held, identities }))
    },

    async startRehydration(name, above) {
      const organisation = of(name)
      if (organisation.open_under > above) return 'open'
      organisation.open_under = 0
      return 'yours'
    },

    async rehydrate(name, generation, states, open) {
      const organisation = of(name)
      if (organisation.generation >= generation) return true
      const now = Date.now()
      organisation.counters = new Map()
      for (const { counter, spent, reserved, ends_at } of reservedIn(states, open)) {
        Object.assign(reach(organisation.counters, counter, ends_at), { spent, reserved })
      }
      organisation.open = new Map(open.map((reservation) => [reservation.event_id, { ...reservation, at: now }]))
      organisation.claims = new Map(
        open.flatMap(({ event_id, identities }) => identities.map((identity) => [identity, { event_id }] as const)),
      )
      organisation.generation = generation
      organisation.open_under = generation
      return true
    },

    async ping() {},

    async close() {
      organisations.clear()
    },
  }
}

const stateOf = (counter: string, known: Counter | undefined): CounterState => ({
  counter,
  spent: known?.spent ?? 0,
  reserved: known?.reserved ?? 0,
})

function reach(counters: Map<string, Counter>, name: string, ends_at: string | undefined): Counter {
  let counter = counters.get(name)
  if (counter === undefined) {
    const drop_at = ends_at === undefined ? undefined : Date.parse(ends_at) + KEEP_ENDED_MS
    counter = { spent: 0, reserved: 0, drop_at }
    counters.set(name, counter)
  }
  return counter
}

/** Now and then: claims whose time is over, and counters whose window is long over and which hold nothing. */
function sweep(organisation: Organisation, now: number): void {
  if (now - organisation.swept_at < SWEEP_EVERY_MS) return
  organisation.swept_at = now
  for (const [identity, { until }] of organisation.claims) {
    if (until !== undefined && until <= now) organisation.claims.delete(identity)
  }
  for (const [name, { reserved, drop_at }] of organisation.counters) {
    if (reserved === 0 && drop_at !== undefined && drop_at <= now) organisation.counters.delete(name)
  }
}
