/** What is in force at a running gateway, what was, and how to change it: push, list, show, rollback. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve, sep } from 'node:path'
import { Command } from 'commander'
import type { PolicyFile } from '../model/revision.ts'
import { explainPolicyRefusal, isLibrary, isPolicyRefusal, readFolders } from '../policy/index.ts'
import { adminClient, withAdminUrl } from './admin-client.ts'
import { CliError, note, print, table } from './output.ts'
import { type FolderOptions, foldersOf, withFolders } from './policy-folders.ts'

interface AdminOptions {
  readonly adminUrl?: string
}

interface Changed {
  readonly changed: boolean
  readonly revision: string
  readonly previous?: string
}

interface Change {
  readonly seq: number
  readonly revision: string
  readonly origin: string
  readonly by: string
  readonly at: string
}

interface Listed {
  readonly in_force: { readonly revision: string; readonly wanted?: string; readonly why?: string }
  readonly changes: readonly Change[]
}

interface Shown {
  readonly revision: string
  readonly created_at: string
  readonly public_key: string
  readonly signature: string
  readonly files: Readonly<Record<string, string>>
}

const PROJECTS = 'projects/'
const SHORT = 'sha256:'.length + 12

const say = ({ changed, revision, previous }: Changed): void => {
  note(changed ? `in force now${previous ? `, before it ${previous}` : ''}:` : 'in force already:')
  print(revision)
}

const textsOf = (files: readonly PolicyFile[], without = 0): Record<string, string> =>
  Object.fromEntries(files.map(({ name, content }) => [name.slice(without), content]))

export const policyPushCommand = withAdminUrl(withFolders(new Command('push')))
  .description('put the policy of these folders in force at every gateway')
  .action(async (options: FolderOptions & AdminOptions) => {
    const found = await readFolders(foldersOf(options))
    if (isPolicyRefusal(found)) {
      note(explainPolicyRefusal(found))
      process.exitCode = 1
      return
    }
    const deciding = found.files.filter(({ name }) => !isLibrary(name) && !name.endsWith('_test.rego'))
    const isProject = ({ name }: PolicyFile) => name.startsWith(PROJECTS) && !name.endsWith('.rego')
    if (!found.has_projects) note('there is no folder of project policies: those in force stay')
    say(
      await adminClient(options).post<Changed>('/admin/policies', {
        files: textsOf(deciding.filter((file) => !isProject(file))),
        ...(found.has_projects && { projects: textsOf(deciding.filter(isProject), PROJECTS.length) }),
      }),
    )
  })
  .addHelpText(
    'after',
    `
The gateway compiles and tries it first. Whatever the history knows of these files, they take over: a changed folder of a
running gateway does so by itself, one that is merely found again does not.

Examples:
  $ countersign policy push
  $ countersign policy push --dir rego --projects policies`,
  )

export const policyListCommand = withAdminUrl(new Command('list'))
  .description('show which policies were in force, newest first')
  .option('--limit <count>', 'so many changes at most', '20')
  .option('--json', 'as the admin plane answers')
  .action(async ({ limit, json, ...options }: AdminOptions & { limit: string; json?: boolean }) => {
    const listed = await adminClient(options).get<Listed>('/admin/policies', { limit })
    if (json) return print(JSON.stringify(listed, null, 2))
    const { in_force, changes } = listed
    if (in_force.why) note(`this gateway stays at ${in_force.revision}: ${in_force.why}`)
    const rows = changes.map(({ seq, revision, origin, by, at }) => [
      in_force.revision === revision && changes.find((one) => one.revision === revision)?.seq === seq ? '*' : '',
      ...[String(seq), revision.slice(0, SHORT), at, origin, by],
    ])
    print(table([['', 'change', 'revision', 'at', 'origin', 'by'], ...rows]))
  })
  .addHelpText(
    'after',
    '\nThe star marks what this gateway decides by.\n\nExamples:\n  $ countersign policy list --limit 5',
  )

export const policyShowCommand = withAdminUrl(new Command('show'))
  .description('show what a revision is made of, or write its files to a folder')
  .argument('<revision>', 'in full, or its first letters')
  .option('--out <folder>', 'write the files here; the folder must not be there yet')
  .action(async (revision: string, { out, ...options }: AdminOptions & { out?: string }) => {
    const shown = await adminClient(options).get<Shown>(`/admin/policies/${encodeURIComponent(revision)}`)
    const names = Object.keys(shown.files).sort()
    if (out !== undefined) {
      writeTo(resolve(out), shown.files)
      note(`wrote ${names.length} files to ${out}`)
    }
    const { created_at, public_key, signature } = shown
    print(
      [shown.revision, `made       ${created_at}`, `key        ${public_key}`, `signature  ${signature}`].join('\n'),
    )
    for (const name of names) print(`  ${name}`)
  })
  .addHelpText(
    'after',
    '\nExamples:\n  $ countersign policy show 3f2a81\n  $ countersign policy show 3f2a81 --out ./then',
  )

export const policyRollbackCommand = withAdminUrl(new Command('rollback'))
  .description('put the policy before, or one of the history, in force at every gateway')
  .option('--to <revision>', 'in full, or its first letters')
  .action(async ({ to, ...options }: AdminOptions & { to?: string }) => {
    say(await adminClient(options).post<Changed>('/admin/policies/rollback', { ...(to !== undefined && { to }) }))
  })
  .addHelpText(
    'after',
    `
Twice goes two steps back. The folders of the gateways stay as they are, and do not take over again until somebody
changes them.

Examples:
  $ countersign policy rollback
  $ countersign policy rollback --to 3f2a81`,
  )

/** Names come off the wire: none may lead out of the folder. */
function writeTo(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = resolve(folder, name)
    if (!path.startsWith(`${folder}${sep}`))
      throw new CliError(`The revision names a file outside its folder: ${JSON.stringify(name)}.`, 'Do not use it.')
    mkdirSync(dirname(path), { recursive: true })
    try {
      writeFileSync(path, content, { flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      throw new CliError(`${path} is there already.`, 'Name a new folder with --out.')
    }
  }
}
