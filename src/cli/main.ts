#!/usr/bin/env node
/** `countersign`: one file a command. A command that fails says what, where, why and the fix, and exits with 1. */
import { Command } from 'commander'
import { ConfigError } from '../config.ts'
import { CliError } from './output.ts'

/** In the order of the help. Only the command that is asked for is loaded, so that no call waits for a whole gateway. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./serve.ts')).serveCommand,
  init: async () => (await import('./init.ts')).initCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
  migrate: async () => (await import('./migrate.ts')).migrateCommand,
  keys: async () => (await import('./keys.ts')).keysCommand,
  policy: async () => (await import('./policy.ts')).policyCommand,
  audit: async () => (await import('./audit.ts')).auditCommand,
  call: async () => (await import('./call.ts')).callCommand,
  sandbox: async () => (await import('./sandbox.ts')).sandboxCommand,
}

const program = new Command('countersign')
  .description('Policy decision point and gateway between AI agents and the APIs that move money, messages and data')
  .version('0.1.0')
  .showHelpAfterError()
  .configureHelp({ sortSubcommands: false })

const [asked = ''] = process.argv.slice(2)
for (const name of Object.hasOwn(COMMANDS, asked) ? [asked] : Object.keys(COMMANDS))
  program.addCommand((await COMMANDS[name]!()).copyInheritedSettings(program))

try {
  await program.parseAsync()
} catch (error) {
  // Anything else is a defect of ours, and its name is more use to a reader than a stack trace.
  const told = error instanceof CliError || error instanceof ConfigError
  process.stderr.write(`${told ? '' : 'countersign failed: '}${(error as Error).message}\n`)
  process.exitCode = 1
}
