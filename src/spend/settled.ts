/** What a reservation becomes once it is known what the call really cost. */
import type { Held } from '../model/budget.ts'
import type { Money } from '../model/money.ts'
import { inCurrency, type Rates } from './rates.ts'

/**
 * Each counter that was held, with what was really spent in its currency; without a known actual cost, with what was held.
 * A counter whose currency has no rate any more keeps what was held, as converted when the rate was there.
 */
export function settledBy(held: readonly Held[], actual?: Money, rates: Rates = {}): readonly Held[] {
  if (actual === undefined) return held
  return held
    .map((entry) => ({ ...entry, amount: inCurrency(actual, currencyOf(entry.counter), rates) ?? entry.amount }))
    .filter(({ amount }) => amount > 0)
}

/** A counter's name ends in its currency. */
const currencyOf = (counter: string): string => counter.slice(counter.lastIndexOf('|') + 1)
