/** Which budgets a call draws on, and how much from each. */
import type { Budget, BudgetLine } from '../model/budget.ts'
import type { Money } from '../model/money.ts'
import { type Refusal, refuse } from '../model/refusal.ts'
import { inCurrency, type Rates } from './rates.ts'
import { type SpendingCall, subjectOf } from './scope.ts'
import { windowAt } from './window.ts'

const DEFAULT_ALERTS = [50, 80, 100] as const

interface LinesInput {
  /** The configured budgets, and the vault key's own. */
  readonly budgets: readonly Budget[]
  readonly call: SpendingCall
  /** What the call costs; absent where it costs nothing. */
  readonly amount: Money | undefined
  readonly now: Date
  readonly rates: Rates
}

/**
 * One line for each budget that applies. Budgets over the same subject, window and currency name the same counter; each
 * keeps its own cap, and the counters hold the amount once. A free call's lines have amount 0: policy sees their state.
 *
 * Refuses `price_unknown` for an amount that is no whole number of minor units from 0 to 2^53 - 1, `currency_without_rate`,
 * and `spend_cap_exceeded` where the converted amount leaves the numbers that any cap can have.
 */
export function linesFor({ budgets, call, amount, now, rates }: LinesInput): readonly BudgetLine[] | Refusal {
  if (amount !== undefined && (!Number.isSafeInteger(amount.value) || amount.value < 0)) {
    return refuse(
      'price_unknown',
      `The amount ${amount.value} is not a whole number of ${amount.currency} minor units from 0 to 2^53 - 1.`,
    )
  }
  const lines: BudgetLine[] = []
  for (const budget of budgets) {
    const subject = subjectOf(budget, call)
    if (subject === null) continue
    const label = `${subject.label} per ${budget.window}`
    const asked = amount === undefined || amount.value === 0 ? 0 : inCurrency(amount, budget.currency, rates)
    if (asked === undefined) {
      return refuse(
        'currency_without_rate',
        `The call costs ${amount?.currency}, the budget "${label}" counts ${budget.currency}, and no rate leads from one to the other.`,
        { fix: `Add "${amount?.currency}/${budget.currency}" to \`rates\` in countersign.yaml.` },
      )
    }
    if (!Number.isSafeInteger(asked)) {
      return refuse('spend_cap_exceeded', `The call asks more than any cap of the budget "${label}" can be.`)
    }
    const window = windowAt(budget.window, now, call)
    lines.push({
      counter: `${subject.name}|${window.name}|${budget.currency}`,
      budget: label,
      scope: budget.scope,
      window: budget.window,
      cap: budget.cap,
      currency: budget.currency,
      amount: asked,
      alerts: budget.alerts ?? DEFAULT_ALERTS,
      ...(window.ends_at === undefined ? {} : { ends_at: window.ends_at }),
    })
  }
  return lines
}
