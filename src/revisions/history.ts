/** What the history says: of the way back, and of a revision by its first letters. */
import { type Refusal, refuse } from '../model/refusal.ts'
import type { PolicyChange, RevisionStore } from '../model/revision.ts'

export const HISTORY_MAX = 1_000

/**
 * The revision to which a rollback goes by default. Two rollbacks one after the other go two steps back, and a rollback is
 * no step itself: so what it left behind is not returned to. Null where there is nothing before.
 */
export function theOneBefore(newestFirst: readonly Pick<PolicyChange, 'revision' | 'origin'>[]): string | null {
  const steps: string[] = []
  for (const { revision, origin } of [...newestFirst].reverse()) {
    const back = origin === 'rollback' ? steps.lastIndexOf(revision) : -1
    if (back >= 0) steps.length = back + 1
    else if (steps.at(-1) !== revision) steps.push(revision)
  }
  return steps.at(-2) ?? null
}

/** The one revision that begins so, `sha256:` or not. */
export async function findRevision(store: Pick<RevisionStore, 'changes'>, start: string): Promise<string | Refusal> {
  const revisions = new Set((await store.changes(HISTORY_MAX)).map(({ revision }) => revision))
  const [found, ...others] = [...revisions].filter(
    (revision) => revision.startsWith(start) || revision.startsWith(`sha256:${start}`),
  )
  const fix = 'GET /admin/policies and `countersign policy list` show the history.'
  if (found === undefined) return refuse('not_found', `The history has no revision ${start}.`, { fix })
  return others.length === 0
    ? found
    : refuse('invalid_params', `${others.length + 1} revisions begin with ${start}.`, {
        fix: `${fix} Name more letters.`,
      })
}
