/**
 * docs/reference/cli.md is what the commands say of themselves. After a change of theirs:
 * `npx vitest run test/docs/cli.test.ts --update` writes it anew.
 */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { run } from '../cli/run.ts'
import { ROOT } from './console.ts'

/** The subcommands that a help text lists, in its order; `help` is not one of interest. */
const listed = (help: string): readonly string[] =>
  [...(help.split('\nCommands:\n')[1] ?? '').matchAll(/^ {2}([a-z]+)\b/gm)]
    .map(([, name]) => name!)
    .filter((name) => name !== 'help')

async function sections(path: readonly string[]): Promise<readonly string[]> {
  const { out, code } = await run([...path, '--help'], { cwd: ROOT })
  expect(code).toBe(0)
  const below: string[] = []
  for (const name of listed(out)) below.push(...(await sections([...path, name])))
  return [`## ${['countersign', ...path].join(' ')}\n\n\`\`\`text\n${out.trim()}\n\`\`\`\n`, ...below]
}

const OPENING = `# Commands

\`npx countersign\` in the checkout after \`make build\`. Results go to standard output, everything else to standard error; a command that
fails says what, where, why and the fix, and exits with 1.
`

it('the page has every command and option', async () => {
  const page = [OPENING, ...(await sections([]))].join('\n')
  await expect(page).toMatchFileSnapshot(join(ROOT, 'docs/reference/cli.md'))
}, 120_000)
