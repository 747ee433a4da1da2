/** What a call cost in the end. The answer is later than the look-ups before it, and knows what moved in between. */
import { isCurrency, type Money } from '../model/money.ts'
import type { Json, Operation } from '../model/operation.ts'
import type { Answer } from '../model/outcome.ts'
import { findAll } from './pointer.ts'

/** What the answer says, where the catalogue knows where it says it; else what was reserved. */
export function actualCost(
  { actual }: Operation,
  reserved: Money | undefined,
  answer: Answer | undefined,
): Money | undefined {
  if (!actual || !answer) return reserved
  const said = (pointer: string): Json | undefined => findAll(answer.body, pointer.split('.'))[0]
  const [value, currency] = [said(actual.value), said(actual.currency)]
  const isMoney =
    Number.isSafeInteger(value) && Number(value) >= 0 && typeof currency === 'string' && isCurrency(currency)
  return isMoney ? { value: Number(value), currency } : reserved
}
