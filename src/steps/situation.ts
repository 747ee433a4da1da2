/** What policy is told of a call beside its params. */
import type { Known } from '../audit/index.ts'
import { redactText } from '../catalogue/index.ts'
import type { Budget, BudgetLine } from '../model/budget.ts'
import type { Counters } from '../model/counters.ts'
import type { SpendFact } from '../model/decision.ts'
import { defined } from '../model/defined.ts'
import type { Facts, JsonObject, Operation, Params } from '../model/operation.ts'
import { isRefusal, type Refusal } from '../model/refusal.ts'
import type { CallSettings, Rooms } from '../rooms.ts'
import { linesFor } from '../spend/index.ts'

/**
 * Reads what the call only names, so that policy judges the real customer, currency and amount. No audit store, no call:
 * not even a look-up leaves where nothing could be written down afterwards.
 */
async function enrich(
  { catalogue, upstream, journal }: Rooms,
  operation: Operation,
  params: Params,
  organisation: string,
): Promise<Facts | Refusal> {
  const objects: Record<string, JsonObject> = {}
  for (;;) {
    const lookup = catalogue.nextLookup(operation, params, objects)
    if (!lookup) return catalogue.facts(operation, params, objects)
    await journal.ping()
    const object = await upstream(operation.provider).read(lookup.path, organisation)
    if (isRefusal(object)) return { ...object, detail: redactText(object.detail) }
    objects[lookup.as] = object
  }
}

export const linesOf = (
  settings: CallSettings,
  known: Known,
  facts: Facts,
  now: Date,
  budgets: readonly Budget[] = [...settings.budgets, ...known.key!.budgets],
): readonly BudgetLine[] | Refusal => {
  const { key, operation, run } = known
  const { organisation, project, agent, id } = key!
  return linesFor({
    budgets,
    call: defined({
      organisation,
      project,
      agent: agent.id,
      role: agent.role,
      run,
      key: id,
      customer: facts.customer,
      provider: operation!.provider,
      group: operation!.group,
    }),
    amount: operation!.cost === 'amount' ? facts.amount : undefined,
    now,
    rates: settings.rates,
  })
}

export async function spendFacts(
  counters: Counters,
  organisation: string,
  lines: readonly BudgetLine[],
): Promise<readonly SpendFact[]> {
  if (lines.length === 0) return []
  const states = await counters.read(
    organisation,
    lines.map((line) => line.counter),
  )
  return lines.map(({ budget, scope, window, cap, currency }, at) => {
    const { spent, reserved } = states[at]!
    return { budget, scope, window, cap, spent, reserved, currency }
  })
}

/** What policy is told of a call beside its params: what it would move, and where the budgets stand that it falls under. */
export async function situate(
  rooms: Rooms,
  known: Known,
  operation: Operation,
  params: Params,
): Promise<Situation | Refusal> {
  const { organisation } = known.key!
  const facts = await enrich(rooms, operation, params, organisation)
  if (isRefusal(facts)) return facts
  const lines = linesOf(rooms.settings, known, facts, rooms.now())
  return { facts, lines, spend: isRefusal(lines) ? [] : await spendFacts(rooms.counters, organisation, lines) }
}

interface Situation {
  readonly facts: Facts
  /** Refused where a budget cannot price the call; a denial by policy comes first. */
  readonly lines: readonly BudgetLine[] | Refusal
  readonly spend: readonly SpendFact[]
}

/** Facts for a row: what names a customer came from a stranger too. */
export const recordable = ({ amount, customer }: Facts): Facts =>
  defined({ amount, customer: customer === undefined ? undefined : redactText(customer) })
