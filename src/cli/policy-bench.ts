import { readFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { parse } from 'yaml'
import type { DecisionInput } from '../model/decision.ts'
import { type CallFields, explainPolicyRefusal, isPolicyRefusal, openPolicy, wholeCall } from '../policy/index.ts'
import { CliError, note, print, table, waiting } from './output.ts'
import { known } from './policy-catalogue.ts'
import { type FolderOptions, foldersOf, withFolders } from './policy-folders.ts'
import { validator } from './policy-schemas.ts'

const COUNT_MAX = 10_000_000
/** Until the compiler of the machine has seen enough of the policy. */
const WARM_UP = 2_000

/** Measured where no file is given. */
const REFUND: CallFields = {
  provider: 'stripe',
  operation: 'create_refund',
  params: { charge: 'ch_1', amount: 500 },
  amount: { value: 500, currency: 'usd' },
  customer: 'cus_1',
  agent: { id: 'agent-1', role: 'support-tier-1' },
}

interface Options extends FolderOptions {
  readonly input?: string
  readonly count: number
  readonly format: 'text' | 'json'
}

export const policyBenchCommand = withFolders(new Command('bench'))
  .description('measure how long the policy takes to decide, in process')
  .option('--input <file>', 'a call in JSON or YAML, whole or as a case has it (default: a refund of 5.00 USD)')
  .option('--count <n>', 'evaluations', countOf, 20_000)
  .addOption(new Option('--format <format>', 'how to tell').choices(['text', 'json']).default('text'))
  .action(async ({ input: file, count, format, ...options }: Options) => {
    const input = callOf(file)
    const policy = await waiting('compiling', openPolicy(foldersOf(options)))
    if (isPolicyRefusal(policy)) {
      note(explainPolicyRefusal(policy))
      process.exitCode = 1
      return
    }
    const instance = policy.instance()
    for (let n = 0; n < Math.min(WARM_UP, count); n++) instance.decide(input)
    const took_us = new Float64Array(count)
    for (let n = 0; n < count; n++) {
      const started = performance.now()
      instance.decide(input)
      took_us[n] = (performance.now() - started) * 1_000
    }
    took_us.sort()
    const at = (share: number) => Math.round(took_us[Math.min(count - 1, Math.floor(count * share))]! * 10) / 10
    const measured = {
      decision: instance.decide(input).decision,
      evaluations: count,
      p50_us: at(0.5),
      p99_us: at(0.99),
      max_us: at(1),
      input_bytes: Buffer.byteLength(JSON.stringify(input)),
      wasm_bytes: policy.wasm.length,
      policy_revision: policy.revision,
    }
    if (format === 'json') print(JSON.stringify(measured, null, 2))
    else print(table(Object.entries(measured).map(([name, value]) => [name, String(value)])))
  })
  .addHelpText(
    'after',
    `
Times are microseconds an evaluation: the call to WASM and back, without HTTP, audit and budgets.

Examples:
  $ countersign policy bench
  $ countersign policy bench --input call.json --count 100000`,
  )

function countOf(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= COUNT_MAX) return count
  throw new InvalidArgumentError(`Write a number from 1 to ${COUNT_MAX}.`)
}

function callOf(file: string | undefined): DecisionInput {
  const isInput = validator('decision-input')
  const call = wholeCall(file === undefined ? REFUND : read(file), known)
  if (isInput(call)) return call as unknown as DecisionInput
  const [{ instancePath = '', message = '' } = {}] = isInput.errors ?? []
  throw new CliError(
    `${file}: input${instancePath.replaceAll('/', '.')} ${message}.`,
    'schemas/decision-input.json says what a call has.',
  )
}

function read(file: string): CallFields {
  try {
    return parse(readFileSync(file, 'utf8')) as CallFields
  } catch (error) {
    throw new CliError(
      `${file} cannot be read: ${(error as Error).message.split('\n')[0]}`,
      'Name a file with one call in JSON or YAML.',
    )
  }
}
