import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { createTwoFilesPatch } from 'diff'
import type { PolicyFile } from '../model/revision.ts'
import type { OpenPolicy } from '../policy/index.ts'
import { CliError, plain, print } from './output.ts'
import { backtest, type HistoryOptions, openCandidate, tell, withHistory } from './policy-backtest.ts'
import { type Folders, foldersOf } from './policy-folders.ts'
import { isRevision } from './policy-history.ts'
import { openStored } from './policy-stored.ts'

export const policyDiffCommand = withHistory(new Command('diff'))
  .description('compare two policies: their sources, and what they say of the calls on record')
  .argument(
    '<before>',
    'folder of tool_decision.rego, policy repository with rego/ and policies/ in it, or revision of the history',
  )
  .argument('<after>', 'another')
  .option('--projects <folder>', 'folder of project policies, for a policy that brings none of its own')
  .option('--no-calls', 'compare the sources only')
  .action(async (before: string, after: string, options: HistoryOptions & { projects?: string; calls: boolean }) => {
    const { projects: _, calls, ...history } = options
    const [old, candidate] = [await open(before, options), await open(after, options)]
    const changed = changedFiles(contents(old.files), contents(candidate.files))
    if (history.format === 'text') {
      print(`before ${old.revision}\nafter  ${candidate.revision}\n`)
      print(changed.length === 0 ? 'the sources are the same\n' : changed.map(({ patch }) => patch).join(''))
    }
    if (!calls && history.format === 'text') return
    const revisions = { before: old.revision, after: candidate.revision, files: changed }
    if (!calls) return print(JSON.stringify(revisions, null, 2))
    tell(await backtest(history, old.instance(), candidate.instance()), history, revisions)
  })
  .addHelpText(
    'after',
    `
Both policies are asked about each call on record, so what was in force then does not matter. The calls, and policies
that are named by their revision, come from the gateway's admin plane, or straight from the database where DATABASE_URL
is set. A revision is sha256:… or its first letters, as \`countersign policy list\` shows it.

Examples:
  $ countersign policy diff rego candidate/rego --since 7d
  $ countersign policy diff ../policies-main . --fail-on newly-allowed
  $ countersign policy diff 3f2a81 . --since 24h
  $ countersign policy diff rego candidate/rego --no-calls`,
  )

/** What lies here goes first: a folder may have any name. */
async function open(named: string, options: { projects?: string; adminUrl?: string }): Promise<OpenPolicy> {
  if (existsSync(named)) return openCandidate(foldersIn(named, options.projects))
  if (isRevision(named)) return openStored(named, options)
  throw new CliError(
    `There is no folder ${named}, and no revision is written so.`,
    'Name a folder with a tool_decision.rego in it, or a revision as `countersign policy list` shows it.',
  )
}

function foldersIn(folder: string, projects: string | undefined): Folders {
  if (!existsSync(join(folder, 'rego'))) return foldersOf({ dir: folder, ...(projects && { projects }) })
  const own = join(folder, 'policies')
  const used = existsSync(own) ? own : projects
  return foldersOf({ dir: join(folder, 'rego'), ...(used && { projects: used }) })
}

/** Name → content. */
const contents = (files: readonly PolicyFile[]): ReadonlyMap<string, string> =>
  new Map(files.map(({ name, content }) => [name, content]))

interface ChangedFile {
  readonly name: string
  /** Unified. */
  readonly patch: string
}

function changedFiles(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly ChangedFile[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort()
  return names
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) => {
      const [old, now] = [before.get(name), after.get(name)]
      const patch = createTwoFilesPatch(
        old === undefined ? '/dev/null' : `before/${name}`,
        now === undefined ? '/dev/null' : `after/${name}`,
        old ?? '',
        now ?? '',
      )
      return { name, patch: patch.split('\n').slice(1).map(legible).join('\n') }
    })
}

/** A tab is a tab in Rego; nothing else that a terminal obeys comes through. */
const legible = (line: string): string => line.split('\t').map(plain).join('\t')
