/** What a resource family declares: its rows of the route table, each with the handler that runs. */
import type { AccountState } from './account.ts'
import type { Change } from './effects.ts'
import type { Form } from './form.ts'

/** One request, as a handler sees it. Handlers run to their end without waiting, so each is one atomic step. */
export interface Call {
  readonly account: AccountState
  readonly params: Form
  /** The path's own ids, in order. */
  readonly ids: readonly string[]
  /** As asked, without the query; lists answer it as their `url`. */
  readonly path: string
  /** Unix seconds. */
  readonly now: number
  /** Says what changed; recorded once, also where the handler then throws. */
  changed(change: Change): void
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Template: `/v1/charges/{charge}/capture`. */
  readonly path: string
  /** The `object` of the answer, or of each member of a page. */
  readonly answers: string
  readonly list?: true
  readonly run: (call: Call) => object
}

/** What the change tells of money and customer, read from the object that it is about. */
export function change(
  kind: string,
  about: { id: string; amount?: number | null; currency?: string | null; customer?: string | null },
  moved = 0,
): Change {
  return {
    kind,
    object: about.id,
    amount: about.amount ?? null,
    currency: about.currency ?? null,
    customer: about.customer ?? null,
    moved,
  }
}
