/** Makes everything that is generated again, and says which file would differ. What differed is put back. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Each generator and what it writes. */
const GENERATED = [
  ['tools/catalogue/generate-stripe.ts', 'schemas/providers/stripe.json'],
  ['tools/catalogue/generate-types.ts', 'sdk/typescript/src/generated/stripe.ts'],
  ['tools/docs/generate-errors.ts', 'docs/errors.md'],
  ['tools/docs/generate-names.ts', 'docs/policy/names-stripe.md'],
] as const

let stale = 0
for (const [generator, file] of GENERATED) {
  const committed = readFileSync(`${root}${file}`, 'utf8')
  execFileSync('npx', ['tsx', `${root}${generator}`], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  if (readFileSync(`${root}${file}`, 'utf8') === committed) continue
  writeFileSync(`${root}${file}`, committed)
  console.error(`${file} is out of date: run \`npx tsx ${generator}\` and commit what it writes`)
  stale++
}
console.log(
  stale === 0
    ? `generated files: ${GENERATED.length} as their generators write them`
    : `generated files: ${stale} stale`,
)
process.exitCode = stale === 0 ? 0 : 1
