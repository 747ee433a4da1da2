/** A budget is a cap on spend for a scope and a window; a counter is where one instance of it is counted. */

export const SCOPES = [
  'organisation',
  'project',
  'agent',
  'role',
  'run',
  'key',
  'customer',
  'provider',
  'group',
] as const
export type Scope = (typeof SCOPES)[number]

export const WINDOWS = ['call', 'run', 'hour', 'day', 'month', 'lifetime'] as const
export type Window = (typeof WINDOWS)[number]

export interface Budget {
  /** One scope, or a pair: `agent+provider`. */
  readonly scope: Scope | `${Scope}+${Scope}`
  readonly window: Window
  /** Minor units of `currency`. 0 refuses whatever costs. */
  readonly cap: number
  readonly currency: string
  /** Only this subject (`project-billing`); absent: every subject has a budget of its own. */
  readonly subject?: string
  /** Percentages of the cap at which an alert row is written, before the money moves. */
  readonly alerts?: readonly number[]
}

/** What one call takes from one budget. Two budgets over the same scope, window and currency share the counter. */
export interface BudgetLine {
  /** Stable name of the counter within its organisation: `project=project-billing|day=2026-11-21|usd`. */
  readonly counter: string
  /** For messages and `input.spend`: `project project-billing per day`. */
  readonly budget: string
  readonly scope: Budget['scope']
  readonly window: Window
  readonly cap: number
  readonly currency: string
  /** What this call reserves, converted into `currency`; minor units. */
  readonly amount: number
  readonly alerts: readonly number[]
  /** When the window is over, RFC 3339; absent for run and lifetime. */
  readonly ends_at?: string
}

/** One counter's state. settled + reserved ≤ cap at every admission. */
export interface CounterState {
  readonly counter: string
  readonly spent: number
  readonly reserved: number
}

/** An entry of a stored reservation: the counter and what is held in it. */
export interface Held {
  readonly counter: string
  readonly amount: number
  readonly ends_at?: string
}
