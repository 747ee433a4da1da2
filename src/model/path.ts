/** What makes a raw path one that two parsers may read in two ways. Judged before any URL parser smooths it over. */

const PATH_LENGTH_MAX = 2048

/** What is odd about the path (without its query), in words; undefined for one in plain form. */
export function oddity(rawPath: string): string | undefined {
  if (rawPath.length > PATH_LENGTH_MAX) return `it is longer than ${PATH_LENGTH_MAX} characters`
  if (!rawPath.startsWith('/')) return 'it does not start with one slash'
  if (rawPath.includes('//')) return 'it has a doubled slash'
  if (rawPath.includes('\\')) return 'it has a backslash'
  if (rawPath.includes('%')) return 'it has a percent-escape, and no path of the catalogue needs one'
  if (rawPath.includes('#')) return 'it has a fragment'
  if (/\/\.{1,2}(\/|$)/.test(rawPath)) return 'it has a dot segment'
  if (/[^\x21-\x7e]/.test(rawPath)) return 'it has a character outside plain ASCII'
  return undefined
}
