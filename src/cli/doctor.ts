import { Command } from 'commander'
import { type Config, ConfigError, readConfig } from '../config.ts'
import type { Check, Finding } from './doctor/check.ts'
import { checkLocal } from './doctor/local.ts'
import { checkPolicy } from './doctor/policy.ts'
import { checkServices } from './doctor/services.ts'
import { note, plain, print, waiting } from './output.ts'

/** In this order: what a line needs is above it. */
const CHECKS: readonly Check[] = [...checkLocal, ...checkPolicy, ...checkServices]
const LABEL = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const

export const doctorCommand = new Command('doctor')
  .description('say what is missing here, and how to mend it; changes nothing')
  .action(async () => {
    const findings: Finding[] = []
    const tell = (finding: Finding): void => {
      findings.push(finding)
      print(plain(`${LABEL[finding.state]}  ${finding.what.padEnd(16)} ${finding.text}`))
      if (finding.fix) print(plain(`      ${' '.repeat(16)} fix: ${finding.fix}`))
    }
    const config = configured(tell)
    for (const { what, run } of CHECKS) {
      if (config) for (const finding of await waiting(what, run(config))) tell({ what, ...finding })
    }
    const failed = findings.filter(({ state }) => state === 'fail').length
    if (failed === 0) return note('nothing stands in the way of `countersign serve`')
    note(`${failed} of ${findings.length} checks failed`)
    process.exitCode = 1
  })
  .addHelpText(
    'after',
    '\nA line a check: ok, warn or FAIL. Exits with 1 where one fails.\n\nExample:\n  $ countersign doctor',
  )

function configured(tell: (finding: Finding) => void): Config | undefined {
  const file = process.env.COUNTERSIGN_CONFIG || 'countersign.yaml'
  try {
    const config = readConfig(process.env, process.cwd())
    tell({ what: 'configuration', state: 'ok', text: `the environment and ${file} (where it is there) can be read` })
    return config
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const line of error.message.split('\n')) tell({ what: 'configuration', state: 'fail', text: line })
    return undefined
  }
}
