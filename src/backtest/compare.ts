/** Two policies over the same recorded calls: where they differ, by operation and by agent, and what that would have moved. */
import type { DecisionInput, Policy, Reason, Verdict } from '../model/decision.ts'
import type { AuditEvent } from '../model/event.ts'
import { Fault } from '../model/fault.ts'
import { LEFT_OUT, type LeftOut, type Recall, type Recorded, recall } from './recall.ts'

/** Minor units by currency. */
type Amounts = Record<string, number>

/** The calls of one operation, or of one agent, that change in one way. */
export interface Group {
  readonly name: string
  readonly calls: number
  readonly amounts: Readonly<Amounts>
  /** The first ones, oldest first. */
  readonly event_ids: readonly string[]
  /** Why, of the first one. */
  readonly reasons: readonly Reason[]
}

/** All calls that one verdict becomes another for. */
export interface Change {
  readonly from: Verdict
  readonly to: Verdict
  readonly calls: number
  /** Of calls that no cap stood in the way of, dry runs left out. */
  readonly amounts: Readonly<Amounts>
  /** Most calls first. */
  readonly by_operation: readonly Group[]
  readonly by_agent: readonly Group[]
}

export interface Report {
  /** Decisions on record in the time asked for. */
  readonly rows: number
  readonly compared: number
  readonly left_out: Readonly<Record<LeftOut, number>>
  /** Compared calls with params that the trail holds redacted, and the names of those. */
  readonly redacted: { readonly calls: number; readonly params: readonly string[] }
  /** Calls that the candidate could not be evaluated for; a gateway would refuse them, so they count as denied. */
  readonly faults: number
  readonly unchanged: Readonly<Record<Verdict, number>>
  readonly changes: readonly Change[]
}

export const FAIL_ON = ['newly-denied', 'newly-allowed', 'any'] as const
export type FailOn = (typeof FAIL_ON)[number]

/** Newly allowed is what passes without anybody now: from a denial, or from a hold, which is a human less. */
export const failsOn = ({ changes }: Report, kind: FailOn): boolean =>
  changes.some(({ to }) => kind === 'any' || to === (kind === 'newly-denied' ? 'deny' : 'allow'))

export interface Judgement {
  readonly decision: Verdict
  readonly reasons: readonly Reason[]
}

interface Options extends Recall {
  /** What is compared with: null is what policy said then, as recorded. */
  readonly before: Policy | null
  readonly after: Policy
  /** Event ids kept for each group. */
  readonly event_ids_max: number
  /** Told after each page. */
  readonly onPage?: (last: AuditEvent) => void
}

/** Rows that are no decisions must not be among the pages. */
export async function compare(
  pages: AsyncIterable<readonly AuditEvent[]>,
  { before, after, event_ids_max, onPage, ...known }: Options,
): Promise<Report> {
  const left_out = Object.fromEntries(Object.keys(LEFT_OUT).map((why) => [why, 0])) as Record<LeftOut, number>
  const unchanged: Record<Verdict, number> = { allow: 0, deny: 0, hold: 0 }
  const changes = new Map<string, GrowingChange>()
  const redacted = { calls: 0, params: new Set<string>() }
  let rows = 0
  let compared = 0
  let faults = 0

  const judge = (policy: Policy, input: DecisionInput): Judgement => {
    try {
      return policy.decide(input)
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault
      if (policy === after) faults += 1
      return { decision: 'deny', reasons: [{ code: fault.code, message: fault.message, rule: 'countersign' }] }
    }
  }

  for await (const page of pages) {
    for (const event of page) {
      rows += 1
      const recorded = recall(event, known)
      if (typeof recorded === 'string') {
        left_out[recorded] += 1
        continue
      }
      compared += 1
      if (recorded.redacted.length > 0) redacted.calls += 1
      for (const name of recorded.redacted) redacted.params.add(name)
      const from = before ? judge(before, recorded.input).decision : recorded.then
      const now = judge(after, recorded.input)
      if (from === now.decision) {
        unchanged[from] += 1
        continue
      }
      const name = `${from} ${now.decision}`
      const change = changes.get(name) ?? new GrowingChange(from, now.decision, event_ids_max)
      changes.set(name, change)
      change.add(recorded, now.reasons)
    }
    const last = page.at(-1)
    if (last) onPage?.(last)
  }
  return {
    ...{ rows, compared, left_out, faults, unchanged },
    redacted: { calls: redacted.calls, params: [...redacted.params].sort() },
    changes: ORDER.flatMap((name) => changes.get(name)?.done() ?? []),
  }
}

/** What newly passes first: it is what may cost. */
const ORDER = ['deny allow', 'hold allow', 'allow deny', 'hold deny', 'allow hold', 'deny hold']

interface GrowingGroup {
  readonly name: string
  calls: number
  readonly amounts: Amounts
  readonly event_ids: string[]
  readonly reasons: readonly Reason[]
}

class GrowingChange {
  readonly #from: Verdict
  readonly #to: Verdict
  readonly #event_ids_max: number
  readonly #amounts: Amounts = {}
  readonly #operations = new Map<string, GrowingGroup>()
  readonly #agents = new Map<string, GrowingGroup>()
  #calls = 0

  constructor(from: Verdict, to: Verdict, event_ids_max: number) {
    this.#from = from
    this.#to = to
    this.#event_ids_max = event_ids_max
  }

  add({ event, input, unhindered }: Recorded, reasons: readonly Reason[]): void {
    const { provider, operation, agent, amount } = input
    const moves = unhindered && event.tags?.dry_run !== 'true' ? amount : undefined
    this.#calls += 1
    count(this.#amounts, moves)
    for (const [groups, name] of [
      [this.#operations, `${provider} ${operation}`],
      [this.#agents, agent.id],
    ] as const) {
      const group = groups.get(name) ?? { name, calls: 0, amounts: {}, event_ids: [], reasons }
      groups.set(name, group)
      group.calls += 1
      count(group.amounts, moves)
      if (group.event_ids.length < this.#event_ids_max) group.event_ids.push(event.event_id)
    }
  }

  done(): Change {
    const sorted = (groups: ReadonlyMap<string, GrowingGroup>): readonly Group[] =>
      [...groups.values()].sort((a, b) => b.calls - a.calls || (a.name < b.name ? -1 : 1))
    return {
      from: this.#from,
      to: this.#to,
      calls: this.#calls,
      amounts: this.#amounts,
      by_operation: sorted(this.#operations),
      by_agent: sorted(this.#agents),
    }
  }
}

function count(amounts: Amounts, moved: DecisionInput['amount']): void {
  if (moved && moved.value > 0) amounts[moved.currency] = (amounts[moved.currency] ?? 0) + moved.value
}
