/**
 * `make bench`: every table in one run. `--quick` shows in about a minute that it runs; its figures say little.
 * `--only=decisions,rules` leaves the others out.
 */
import { parseArgs } from 'node:util'
import { backtest } from './backtest.ts'
import { decisions } from './decisions.ts'
import { embeddedStart } from './embedded-start.ts'
import { fullPath } from './full-path.ts'
import { machine } from './machine.ts'
import { grants, reload } from './reload.ts'
import { manyRules } from './rules.ts'
import { markdown } from './table.ts'

const BENCHMARKS = {
  decisions,
  'full-path': fullPath,
  start: embeddedStart,
  backtest,
  reload,
  grants,
  rules: manyRules,
} as const
type Name = keyof typeof BENCHMARKS

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } } })
const names = (values.only?.split(',') ?? Object.keys(BENCHMARKS)) as Name[]
const unknown = names.find((name) => !Object.hasOwn(BENCHMARKS, name))
if (unknown) throw new Error(`there is no benchmark ${unknown}; there are ${Object.keys(BENCHMARKS).join(', ')}`)

const effort = values.quick ? { rounds: 1, seconds: 1 } : { rounds: 5, seconds: 2 }
console.log(`# Benchmarks\n\n${machine()}.`)
console.log(
  `Each figure is the median of ${effort.rounds} rounds of ${effort.seconds} s; the contestants take turns in a round.\n`,
)
for (const name of names) {
  process.stderr.write(`measuring: ${name} …\n`)
  console.log(markdown(await BENCHMARKS[name](effort)))
}
