/** What the history says of the way back. */
import type { PolicyChange } from '../model/revision.ts'

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

/** Revisions that begin so, in full or without `sha256:`. */
export const startingWith = (changes: readonly Pick<PolicyChange, 'revision'>[], start: string): readonly string[] => [
  ...new Set(
    changes
      .map(({ revision }) => revision)
      .filter((revision) => revision.startsWith(start) || revision.startsWith(`sha256:${start}`)),
  ),
]
