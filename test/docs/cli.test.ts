/**
 * docs/reference/cli.md is what the commands say of themselves. After a change of theirs:
 * `npx vitest run test/docs/cli.test.ts --update` writes it anew.
 */
import { join } from 'node:path'
import { Command } from 'commander'
import { expect, it } from 'vitest'
import { run } from '../cli/run.ts'
import { ROOT } from './console.ts'

const OPENING = `# Commands

\`npx countersign\` in the checkout after \`make build\`. Results go to standard output, everything else to standard error; a command that
fails says what, where, why and the fix, and exits with 1.
`

const section = (title: string, help: string): string => `## ${title}\n\n\`\`\`text\n${help.trim()}\n\`\`\`\n`

/** The command's own help and that of the commands below it, as wide as it is where nobody watches. */
function sections(command: Command, path: string): readonly string[] {
  let help = ''
  command.configureOutput({ getOutHelpWidth: () => 80, writeOut: (text) => (help += text) }).outputHelp()
  const own = `${path} ${command.name()}`
  return [section(own, help), ...command.commands.flatMap((below) => sections(below, own))]
}

it('the page has every command and option', async () => {
  const { out } = await run(['--help'], { cwd: ROOT })
  const names = [...out.split('\nCommands:\n')[1]!.matchAll(/^ {2}([a-z]+)\b/gm)].map(([, name]) => name!)
  const page = [OPENING, section('countersign', out)]
  for (const name of names.filter((each) => each !== 'help')) {
    const command: Command = (await import(`../../src/cli/${name}.ts`))[`${name}Command`]
    new Command('countersign').addCommand(command)
    page.push(...sections(command, 'countersign'))
  }
  await expect(page.join('\n')).toMatchFileSnapshot(join(ROOT, 'docs/reference/cli.md'))
}, 180_000)
