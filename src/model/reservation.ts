/** The arithmetic of a reservation, which every store and the spend room must do alike. */
import type { BudgetLine, CounterState, Held } from './budget.ts'
import type { OpenReservation, SpendAlert } from './counters.ts'
import { Fault } from './fault.ts'

/**
 * What a reservation of these lines holds: each counter once, however many budgets share it. A cap on one call counts
 * nothing, and a free call holds nothing.
 */
export function heldBy(lines: readonly BudgetLine[]): readonly Held[] {
  const held = new Map<string, Held>()
  for (const { counter, amount, window, ends_at } of lines) {
    if (window === 'call' || amount === 0) continue
    const known = held.get(counter)
    if (known !== undefined && known.amount !== amount) {
      throw new RangeError(`two budgets on ${counter} reserve different amounts: ${known.amount} and ${amount}`)
    }
    held.set(counter, { counter, amount, ...(ends_at === undefined ? {} : { ends_at }) })
  }
  return [...held.values()]
}

/** The thresholds that one line crosses when its amount joins what its counter holds already. */
export function alertsOf(line: BudgetLine, before: CounterState): readonly SpendAlert[] {
  if (line.window === 'call') return []
  const from = before.spent + before.reserved
  const committed = from + line.amount
  return line.alerts
    .filter((percent) => {
      const threshold = (line.cap / 100) * percent
      return from < threshold && threshold <= committed
    })
    .map((percent) => ({ line, percent, committed }))
}

/** Throws unless every amount (and cap) is an integer from 0 to 2^53 - 1: beyond, Redis and JavaScript count differently. */
export function assertExact(
  entries: readonly { readonly counter: string; readonly amount: number; readonly cap?: number }[],
): void {
  for (const { counter, amount, cap = 0 } of entries) {
    if (!Number.isSafeInteger(amount) || amount < 0 || !Number.isSafeInteger(cap) || cap < 0) {
      throw new RangeError(`${counter}: amount ${amount} and cap ${cap} must be integers from 0 to 2^53 - 1`)
    }
  }
}

/**
 * A fold's states, with at least what its open reservations hold. Less would let a later settlement take a counter below
 * nothing, and so let through what a cap forbids.
 */
export function reservedIn(
  states: readonly (CounterState & { readonly ends_at?: string })[],
  open: readonly OpenReservation[],
): readonly (CounterState & { readonly ends_at?: string })[] {
  const held = new Map<string, Held>()
  for (const entry of open.flatMap((reservation) => reservation.held)) {
    held.set(entry.counter, { ...entry, amount: entry.amount + (held.get(entry.counter)?.amount ?? 0) })
  }
  const known = new Set(states.map((state) => state.counter))
  return [
    ...states.map((state) => ({
      ...state,
      reserved: Math.max(state.reserved, held.get(state.counter)?.amount ?? 0),
    })),
    ...[...held.values()]
      .filter(({ counter }) => !known.has(counter))
      .map(({ counter, amount, ends_at }) => ({
        counter,
        spent: 0,
        reserved: amount,
        ...(ends_at === undefined ? {} : { ends_at }),
      })),
  ]
}

/** What a question behind a closed fence gets for an answer. */
export const fenced = (organisation: string): Fault =>
  new Fault('counters_rehydrating', `the spend counters of ${organisation} are not rebuilt from the ledger yet`)
