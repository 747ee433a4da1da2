/** How a call ends: its outcome committed, its spend settled. */
import { type Known, outcomeRow } from '../audit/index.ts'
import { actualCost } from '../catalogue/index.ts'
import type { Held } from '../model/budget.ts'
import { defined } from '../model/defined.ts'
import type { Intent } from '../model/intent.ts'
import type { Identity } from '../model/journal.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Rooms } from '../rooms.ts'
import { settledBy } from '../spend/index.ts'
import { sealAnswer } from './sealed.ts'

/** A settled claim outlives the look-ups that began before it was settled. */
const CLAIM_KEPT_MS = 60_000

/**
 * A gateway that has lost the journal for long may have had this call taken over: another one may be sending it again, and
 * with effect. It may still report an effect, but no longer that there surely was none.
 */
export function sureOf({ pulse, settings, now }: Rooms, outcome: Outcome): Outcome {
  const lost = now().getTime() - pulse.at >= settings.silent_ms / 2
  if (outcome.kind !== 'failed' || !lost) return outcome
  return {
    ...outcome,
    kind: 'unknown',
    detail: `${outcome.detail}; the gateway was out of touch with its journal meanwhile`,
  }
}

/**
 * Commits the outcome with what settles in the ledger, then settles the counters. The ledger is the truth: counters that
 * could not be told are brought up by `recover.ts`, and until then hold too much, never too little. False: the call had its
 * outcome already, and that one stands.
 */
export async function finish(
  rooms: Rooms,
  known: Known,
  { event_id, organisation, operation }: Intent,
  outcome: Outcome,
  held: readonly Held[],
  identities: readonly Identity[],
): Promise<boolean> {
  const { kind } = outcome
  const amount = actualCost(operation, known.facts?.amount, outcome.answer)
  const spent = kind === 'unknown' ? null : kind === 'failed' ? [] : settledBy(held, amount, rooms.settings.rates)
  const answer = outcome.answer && { sealed_answer: sealAnswer(rooms.bodies, event_id, outcome.answer) }
  const first = await rooms.journal.commitOutcome({ event_id, kind, spent, ...answer }, [
    outcomeRow({ ...known, facts: defined({ ...known.facts, amount }) }, outcome, rooms.now()),
  ])
  // Another gateway took the call over and ended it: what its outcome settled is what holds.
  const settled = first ? spent : await rooms.journal.settled(event_id)
  if (settled === null) return first
  const keep_ms = kind === 'succeeded' ? keptFor(identities) : 0
  const settling = rooms.counters
    .settle(organisation, event_id, settled, keep_ms)
    .catch((fault: unknown) => rooms.onFault(event_id, fault))
  if (kind === 'failed' || givesBack(held, settled)) await settling
  return first
}

/** Only what is freed, here or by a failed call's claim, can the next call miss: else the reply need not wait for it. */
const givesBack = (held: readonly Held[], settled: readonly Held[]): boolean =>
  held.some(({ counter, amount }) => (settled.find((line) => line.counter === counter)?.amount ?? 0) < amount)

/** No longer than the journal itself would call another one a twin. */
const keptFor = (identities: readonly Identity[]): number =>
  Math.min(CLAIM_KEPT_MS, ...identities.map(({ window_s = Number.POSITIVE_INFINITY }) => window_s * 1_000))
