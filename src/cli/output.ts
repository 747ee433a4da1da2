/** How commands speak: results on standard output, everything else on standard error. */

/** A failure that the reader can mend: the message says what, where, why and the fix. */
export class CliError extends Error {
  constructor(what: string, fix: string) {
    super(`${what}\n  fix: ${fix}`)
    this.name = 'CliError'
  }
}

// Whoever reads may have seen enough: `countersign audit export | head` is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

export const print = (text: string): void => void process.stdout.write(`${text}\n`)
export const note = (text: string): void => void process.stderr.write(`${text}\n`)

/** Agents choose some of what is shown: control characters must not reach the terminal, where they would be commands. */
export const plain = (text: string): string =>
  text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, (sign) => `\\u${sign.codePointAt(0)!.toString(16).padStart(4, '0')}`)

/** Columns as wide as their widest cell. */
export function table(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(plain))
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]!.length))) ?? []
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Runs `work` with a line that moves while one waits; silent where nobody watches. */
export async function waiting<Result>(text: string, work: Promise<Result>): Promise<Result> {
  if (!process.stderr.isTTY) return work
  const started = Date.now()
  const draw = () => process.stderr.write(`\r${text} … ${((Date.now() - started) / 1000).toFixed(1)} s`)
  const timer = setInterval(draw, 100)
  draw()
  try {
    return await work
  } finally {
    clearInterval(timer)
    process.stderr.write('\r\x1b[2K')
  }
}
