/**
 * Puts each provider's rules (`<name>.yaml`) into the one file that the gateway reads (`<name>.json`): YAML takes longer to
 * parse than all operations together. Run after a change of the rules: `npx tsx tools/catalogue/rules.ts`.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

const DIR = join(import.meta.dirname, '../../schemas/providers')
const START = '"rules":'

/** The line of the generated file that holds the rules; it is a line of its own, so that a change of it shows. */
export const rulesLine = (file: string): string => `${START}${JSON.stringify(parse(readFileSync(file, 'utf8')))},`

if (process.argv[1] === import.meta.filename) {
  for (const file of readdirSync(DIR).filter((name) => name.endsWith('.yaml'))) {
    const output = join(DIR, file.replace(/yaml$/, 'json'))
    const lines = readFileSync(output, 'utf8').split('\n')
    const at = lines.findIndex((line) => line.startsWith(START))
    if (at < 0) throw new Error(`${output} has no line of rules; generate it first`)
    writeFileSync(output, lines.with(at, rulesLine(join(DIR, file))).join('\n'))
  }
}
