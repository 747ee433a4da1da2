/** Why a cap refused, in one sentence with every figure. */
import type { BudgetLine, CounterState } from '../model/budget.ts'
import { formatMoney } from '../model/money.ts'
import { type Refusal, refuse } from '../model/refusal.ts'

export function cappedRefusal(line: BudgetLine, state: Pick<CounterState, 'spent' | 'reserved'>): Refusal {
  const money = (value: number) => formatMoney({ value, currency: line.currency })
  const used = line.window === 'call' ? '' : `, spent ${money(state.spent)}, reserved ${money(state.reserved)}`
  const ends = line.ends_at === undefined ? '' : `; the window ends ${line.ends_at}`
  return refuse(
    'spend_cap_exceeded',
    `The call would pass the cap of the budget "${line.budget}": cap ${money(line.cap)}${used}, asked ${money(line.amount)}${ends}.`,
  )
}
