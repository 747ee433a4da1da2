/** Whose spend a budget counts. One row a scope. */
import type { Budget, Scope } from '../model/budget.ts'

/** Who acts, and upon what; a part that the call does not name is absent. */
export interface SpendingCall {
  readonly organisation: string
  readonly project?: string
  readonly agent: string
  readonly role?: string
  readonly run?: string
  readonly key: string
  readonly customer?: string
  readonly provider: string
  readonly group: string
}

/** A part of a counter's name, and how messages call it. */
interface Part {
  readonly name: string
  readonly label: string
  readonly value: string
}

type PartOf = (call: SpendingCall) => Part | undefined

const part = (scope: Scope, value: string | undefined): Part | undefined =>
  value === undefined ? undefined : { name: `${scope}=${encodeName(value)}`, label: `${scope} ${value}`, value }

const PARTS: Readonly<Record<Scope, PartOf>> = {
  organisation: (call) => part('organisation', call.organisation),
  project: (call) => part('project', call.project),
  agent: (call) => part('agent', call.agent),
  role: (call) => part('role', call.role),
  run: (call) => runOf(call),
  key: (call) => part('key', call.key),
  customer: (call) => part('customer', call.customer),
  provider: (call) => part('provider', call.provider),
  group: (call) => part('group', call.group),
}

/**
 * Without a run, the key stands in: leaving the run out must not leave its budgets behind. `~` marks the stand-in; in a
 * run's own name it is encoded, so that no run can be called like one.
 */
function runOf(call: SpendingCall): Part {
  const named = part('run', call.run)
  if (named !== undefined) return named
  return { name: `run=~${encodeName(call.key)}`, label: `run of key ${call.key}`, value: `~${call.key}` }
}

interface Subject {
  /** `agent=a1+provider=stripe`: in the same order, whichever way round the pair was written. */
  readonly name: string
  /** `agent a1 + provider stripe` */
  readonly label: string
}

/**
 * Whom this budget counts for this call; null where it does not apply: the call has no such part (no customer), or the
 * budget is another subject's. A budget binds those whom it names and nobody else, so to bind a call without a project,
 * cap the key, the agent or the organisation.
 */
export function subjectOf(budget: Budget, call: SpendingCall): Subject | null {
  const parts: Part[] = []
  for (const scope of budget.scope.split('+') as Scope[]) {
    const found = PARTS[scope](call)
    if (found === undefined) return null
    parts.push(found)
  }
  if (budget.subject !== undefined && budget.subject !== parts.map(({ value }) => value).join('+')) return null
  return {
    name: parts
      .map(({ name }) => name)
      .sort()
      .join('+'),
    label: parts.map(({ label }) => label).join(' + '),
  }
}

/** The run's part of a counter's name, for the window of that name. */
export const runName = (call: SpendingCall): string => runOf(call).name

/** Keeps `|`, `=`, `+` and `~`, which have a meaning in counters' names, out of the parts that callers choose. */
const encodeName = (value: string): string => encodeURIComponent(Buffer.from(value).toString()).replaceAll('~', '%7E')
