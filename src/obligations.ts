/** What a decision asks for beside its verdict, done: each obligation where the call's path meets it. */
import type { Known } from './audit/index.ts'
import type { Catalogue } from './catalogue/index.ts'
import type { BudgetLine } from './model/budget.ts'
import type { Decision } from './model/decision.ts'
import type { Facts, JsonObject, Operation, Params } from './model/operation.ts'
import type { Refusal } from './model/refusal.ts'
import type { CallIdentity } from './replay/index.ts'
import type { CallSettings } from './rooms.ts'
import { linesOf } from './steps/index.ts'

/** The params as audit rows show them from here on. */
export const redacted = (
  catalogue: Catalogue,
  operation: Operation,
  params: Params,
  { obligations }: Decision,
): JsonObject => catalogue.redact(operation, params, obligations.redact)

/** What the call draws on beside the budgets that apply anyway; refused as those are. */
export const linesOwed = (
  settings: CallSettings,
  known: Known,
  facts: Facts,
  { obligations: { budgets = [] } }: Decision,
  now: Date,
): readonly BudgetLine[] | Refusal => (budgets.length === 0 ? [] : linesOf(settings, known, facts, now, budgets))

/**
 * Policy judges only the first of several twins, so its word on their window is written down with the first's claim: a
 * later twin is held to the shorter of that window and its own.
 */
export function claimed(identity: CallIdentity, { obligations: { repeat_window_s } }: Decision): CallIdentity {
  if (repeat_window_s === undefined) return identity
  const identities = identity.identities.map((each) =>
    each.window_s === undefined ? each : { ...each, window_s: Math.min(each.window_s, repeat_window_s) },
  )
  return { ...identity, identities }
}
