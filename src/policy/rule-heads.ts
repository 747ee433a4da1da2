/** Where the rules of a Rego file begin: enough to tell which rule a line belongs to, and no parser. */

export interface RuleHead {
  readonly name: string
  /** From 1. */
  readonly row: number
}

const OPENS = '{[('
const CLOSES = '}])'
const NO_RULE = new Set(['package', 'import', 'else'])

/** A rule begins where a line outside all brackets begins with its name. */
export function ruleHeads(source: string): readonly RuleHead[] {
  const heads: RuleHead[] = []
  let depth = 0
  let quote = ''
  for (const [at, line] of source.split('\n').entries()) {
    if (depth === 0 && quote === '') {
      const name = /^\s*(?:default\s+)?([A-Za-z_]\w*)/.exec(line)?.[1]
      if (name !== undefined && !NO_RULE.has(name)) heads.push({ name, row: at + 1 })
    }
    for (let index = 0; index < line.length; index += 1) {
      const sign = line[index]!
      if (quote !== '') {
        if (sign === '\\' && quote === '"') index += 1
        else if (sign === quote) quote = ''
      } else if (sign === '#') break
      else if (sign === '"' || sign === '`') quote = sign
      else if (OPENS.includes(sign)) depth += 1
      else if (CLOSES.includes(sign)) depth -= 1
    }
    // Only raw text spans lines.
    if (quote === '"') quote = ''
  }
  return heads
}

/** The rule that a line belongs to. */
export const headAbove = (heads: readonly RuleHead[], row: number): RuleHead | undefined =>
  heads.findLast((head) => head.row <= row)
