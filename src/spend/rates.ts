/** Other currencies count by a configured table and nothing else: a rate that is not there is never guessed. */
import { convert, type Money } from '../model/money.ts'

/** `{"eur/usd": 1.08}`: one euro is 1.08 dollars. Each direction is a row of its own. */
export type Rates = Readonly<Record<string, number>>

/** In minor units of `to`, rounded up; undefined without a rate. */
export function inCurrency(money: Money, to: string, rates: Rates): number | undefined {
  if (money.currency === to) return money.value
  const rate = Object.hasOwn(rates, `${money.currency}/${to}`) ? rates[`${money.currency}/${to}`] : undefined
  return rate === undefined ? undefined : convert(money, to, rate).value
}
