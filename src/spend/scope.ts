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

const VALUES: Readonly<Record<Scope, (call: SpendingCall) => string | undefined>> = {
  organisation: (call) => call.organisation,
  project: (call) => call.project,
  agent: (call) => call.agent,
  role: (call) => call.role,
  // Without a run, the key stands in: leaving the run out must not leave its budgets behind.
  run: (call) => call.run ?? keyStandsIn(call),
  key: (call) => call.key,
  customer: (call) => call.customer,
  provider: (call) => call.provider,
  group: (call) => call.group,
}

/** `~` begins no encoded name, so that a run cannot be called like a key. */
const keyStandsIn = (call: SpendingCall): string => `~${call.key}`

export interface Subject {
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
  const scopes = budget.scope.split('+') as Scope[]
  const values = scopes.map((scope) => VALUES[scope](call))
  if (values.some((value) => value === undefined)) return null
  if (budget.subject !== undefined && budget.subject !== values.join('+')) return null
  const parts = scopes.map((scope, i) => ({ scope, value: values[i]! }))
  return {
    name: parts
      .map(({ scope, value }) => `${scope}=${encodeName(value)}`)
      .sort()
      .join('+'),
    label: parts
      .map(({ scope, value }) => (value.startsWith('~') ? `${scope} of key ${value.slice(1)}` : `${scope} ${value}`))
      .join(' + '),
  }
}

/** The run's part of a counter's name, for the window of that name. */
export const runName = (call: SpendingCall): string => `run=${encodeName(VALUES.run(call)!)}`

/** Keeps `|`, `=` and `+`, which join names, out of them; a leading `~` passes, as it is only ever ours. */
const encodeName = (value: string): string =>
  value.startsWith('~')
    ? `~${encodeName(value.slice(1))}`
    : encodeURIComponent(Buffer.from(value).toString()).replaceAll('~', '%7E')
