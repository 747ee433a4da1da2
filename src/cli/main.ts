#!/usr/bin/env node
/** `countersign`: one file a command. A command that fails says what, where, why and the fix, and exits with 1. */
import { Command } from 'commander'
import { ConfigError } from '../config.ts'
import { auditCommand } from './audit.ts'
import { callCommand } from './call.ts'
import { doctorCommand } from './doctor.ts'
import { initCommand } from './init.ts'
import { keysCommand } from './keys.ts'
import { migrateCommand } from './migrate.ts'
import { CliError } from './output.ts'
import { policyCommand } from './policy.ts'
import { sandboxCommand } from './sandbox.ts'
import { serveCommand } from './serve.ts'

const program = new Command('countersign')
  .description('Policy decision point and gateway between AI agents and the APIs that move money, messages and data')
  .version('0.1.0')
  .showHelpAfterError()
  .configureHelp({ sortSubcommands: false })

for (const command of [
  serveCommand,
  initCommand,
  doctorCommand,
  migrateCommand,
  keysCommand,
  policyCommand,
  auditCommand,
  callCommand,
  sandboxCommand,
])
  program.addCommand(command)

try {
  await program.parseAsync()
} catch (error) {
  // Anything else is a defect of ours, and its name is more use to a reader than a stack trace.
  const told = error instanceof CliError || error instanceof ConfigError
  process.stderr.write(`${told ? '' : 'countersign failed: '}${(error as Error).message}\n`)
  process.exitCode = 1
}
