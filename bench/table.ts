/** Markdown tables: what `make bench` prints is what docs/benchmarks.md keeps. */

export interface Table {
  readonly title: string
  /** What was measured and how, in sentences. */
  readonly about: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** What the figures come to against the aim. */
  readonly verdicts: readonly string[]
}

export function markdown({ title, about, columns, rows, verdicts }: Table): string {
  const widths = columns.map((column, at) => Math.max(column.length, ...rows.map((row) => row[at]!.length)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join(' | ')} |`
  const rule = `|${widths.map((width, at) => (at === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  const verdictLines = verdicts.map((verdict) => `- ${verdict}`)
  return [`## ${title}`, '', about, '', line(columns), rule, ...rows.map(line), '', ...verdictLines, ''].join('\n')
}

export const rate = (per_second: number): string => Math.round(per_second).toLocaleString('en')
export const ms = (value: number): string => value.toFixed(value < 10 ? 2 : 1)
export const times = (ratio: number): string => `${ratio.toFixed(2)} ×`
export const verdict = (what: string, figure: string, aim: string, met: boolean): string =>
  `${what}: **${figure}** (aim ${aim}: ${met ? 'met' : 'missed'})`
