/** The tables of a page, by heading. */

/** Rows of every table below a heading (or of the page), the row of titles left out; cells as they are written. */
export function rowsUnder(markdown: string, heading?: string): readonly (readonly string[])[] {
  const lines = markdown.split('\n')
  const start = heading === undefined ? 0 : lines.indexOf(heading) + 1
  if (heading !== undefined && start === 0) throw new Error(`the page has no heading ${heading}`)
  const depth = heading?.match(/^#+/)?.[0].length
  const end = lines.findIndex((line, at) => at >= start && depth !== undefined && isHeading(line, depth))
  return lines
    .slice(start, end < 0 ? undefined : end)
    .filter((line, at, all) => line.startsWith('|') && !isRule(line) && !(all[at + 1] && isRule(all[at + 1]!)))
    .map((line) =>
      line
        .replace(/^\| ?| ?\|$/g, '')
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    )
}

const isRule = (line: string): boolean => /^\|[-| :]+\|$/.test(line)
const isHeading = (line: string, depth: number): boolean => {
  const own = /^(#+) /.exec(line)?.[1]
  return own !== undefined && own.length <= depth
}

/** `code` without its marks. */
export const bare = (cell: string): string => cell.replaceAll('`', '')
