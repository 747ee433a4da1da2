import { writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { explainPolicyRefusal, formatRego, isPolicyRefusal, problemOf, readPolicy } from '../policy/index.ts'
import { unifiedDiff } from './line-diff.ts'
import { CliError, note, print, waiting } from './output.ts'
import { foldersOf } from './policy-folders.ts'

interface Options {
  readonly dir?: string
  readonly write?: true
  readonly check?: true
  readonly diff?: true
}

export const policyFmtCommand = new Command('fmt')
  .description('list the Rego files that are not as OPA formats them, or format them')
  .option('--dir <folder>', 'folder of tool_decision.rego (default: COUNTERSIGN_POLICY_DIR, else rego)')
  .option('--write', 'format the files')
  .option('--check', 'exit with 1 where a file is not formatted')
  .option('--diff', 'show what would change')
  .action(async ({ dir, write, check, diff }: Options) => {
    if (write && check) throw new CliError('--write and --check do not go together.', 'Give one of them.')
    const { isOwn, policyDir, libraryDir } = foldersOf(dir === undefined ? {} : { dir })
    if (!isOwn)
      throw new CliError(
        'There is no ./rego to format.',
        'Go to the folder that has it, or name it with --dir; `countersign init` writes one.',
      )
    const sources = await readPolicy({ policyDir, libraryDir })
    if (isPolicyRefusal(sources)) return fail(explainPolicyRefusal(sources))
    const own = [...sources.modules, ...sources.tests].filter(({ path }) => !path.startsWith('countersign/'))
    const formatted = await waiting('formatting', formatRego(own))
    if (!formatted.ok) {
      const problems = formatted.errors.map((error) => problemOf(error, sources))
      return fail(explainPolicyRefusal({ refused: true, problems }))
    }
    let changed = 0
    for (const [index, { path, source }] of own.entries()) {
      const after = formatted.value[index]!.source
      if (after === source) continue
      changed += 1
      const file = sources.pathOf(path)
      print(diff ? unifiedDiff(file, source, after) : file)
      if (write) writeFileSync(file, after)
    }
    note(`${changed} of ${own.length} files ${write ? 'formatted' : 'are not formatted'}`)
    if (check && changed > 0) process.exitCode = 1
  })
  .addHelpText(
    'after',
    `
Each file keeps the dialect of Rego that it is written in. Changes nothing without --write. Exits with 1 where a file
cannot be read, and with --check where one is not formatted.

Examples:
  $ countersign policy fmt --diff
  $ countersign policy fmt --write
  $ countersign policy fmt --check`,
  )

function fail(message: string): void {
  note(message)
  process.exitCode = 1
}
