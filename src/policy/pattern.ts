/**
 * Patterns of project policies, in the form that the library's `projects.rego` tries them in. They mean one thing everywhere
 * (actions, resources, branches): plain text matches itself, and `*` matches any run of characters, separators included.
 */

export type Pattern =
  | { readonly any: true }
  | { readonly is: string }
  | { readonly starts: string }
  | { readonly glob: string }

export function compilePattern(text: string): Pattern {
  if (text === '*') return { any: true }
  const star = text.indexOf('*')
  if (star < 0) return { is: text }
  return star === text.length - 1 ? { starts: text.slice(0, -1) } : { glob: text }
}

/** One that can be looked up: a whole name, or any. */
export const isKey = (pattern: Pattern): boolean => 'any' in pattern || 'is' in pattern

/** As the file has it. */
export function written(pattern: Pattern): string {
  if ('any' in pattern) return '*'
  if ('is' in pattern) return pattern.is
  return 'starts' in pattern ? `${pattern.starts}*` : pattern.glob
}

/** What every text that it matches begins with. */
export const literalPrefix = (pattern: Pattern): string => written(pattern).split('*', 1)[0]!

/** As `projects.rego` matches. */
export function matches(pattern: Pattern, text: string): boolean {
  if ('any' in pattern) return true
  if ('is' in pattern) return pattern.is === text
  if ('starts' in pattern) return text.startsWith(pattern.starts)
  const { glob } = pattern
  const [start, end] = [glob.indexOf('*'), glob.lastIndexOf('*')]
  if (!text.startsWith(glob.slice(0, start)) || !text.endsWith(glob.slice(end + 1))) return false
  const last = text.length - (glob.length - end - 1)
  let from = start
  for (const piece of glob.slice(start + 1, Math.max(start + 1, end)).split('*')) {
    const found = text.indexOf(piece, from)
    if (found < 0 || found + piece.length > last) return false
    from = found + piece.length
  }
  return from <= last
}
