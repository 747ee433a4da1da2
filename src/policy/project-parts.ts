/**
 * The file of a project policy in parts that are YAML each for itself: some grants at a time, and what is around them. A
 * file of a hundred thousand grants takes seconds to read, in which live calls must not wait.
 */

export interface Part {
  /** `grants`: a list of some grants. `rest`, which comes last: the map, without the grants that came before. */
  readonly holds: 'grants' | 'rest'
  readonly source: string
  /** A row of `source`, from 1, in the file. */
  rowOf(row: number): number
}

/** What is read in one go: some 2 ms. */
const PART_CHARS = 2 * 1024
/** What does not fall into parts, a list in brackets or ten thousand agents, may be so long: some 300 ms. */
export const PART_CHARS_MAX = 256 * 1024

const GRANTS = /^grants:[ \t]*(?:#.*)?\r?\n/m
const FIRST_GRANT = /^(?:[ \t]*(?:#.*)?\r?\n)*( *-)\s/

/**
 * In block style, a line with a `-` where the first grant has its own begins another, and any other line in the first column
 * ends the list, whatever is in between. A list that is written otherwise stays in the rest.
 */
export function* partsOf(source: string): Generator<Part> {
  const key = GRANTS.exec(source)
  const start = key ? key.index + key[0].length : source.length
  const dash = FIRST_GRANT.exec(source.slice(start, start + PART_CHARS))?.[1]
  if (dash === undefined) return yield { holds: 'rest', source, rowOf: (row) => row }
  const rows_before = source.slice(0, start).split('\n').length - 1
  let [at, rows_above] = [start, rows_before]
  let begun = { at, rows_above }
  const grants = (): Part => {
    const { at: from, rows_above: above } = begun
    return { holds: 'grants', source: source.slice(from, at), rowOf: (row) => above + row }
  }
  while (at < source.length) {
    const isGrant = source.startsWith(dash, at) && /\s/.test(source.charAt(at + dash.length))
    if (!isGrant && /[^\s#]/.test(source.charAt(at))) break
    if (isGrant && at - begun.at >= PART_CHARS) {
      yield grants()
      begun = { at, rows_above }
    }
    at = source.indexOf('\n', at) + 1 || source.length
    rows_above += 1
  }
  yield grants()
  const rows_apart = rows_above - rows_before
  yield {
    holds: 'rest',
    source: source.slice(0, start) + source.slice(at),
    rowOf: (row) => (row <= rows_before ? row : row + rows_apart),
  }
}
