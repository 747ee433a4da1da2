/** Which policies are and were in force at a running gateway: list and show. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve, sep } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { adminClient, withAdminUrl } from './admin-client.ts'
import { CliError, note, print, table } from './output.ts'

interface Options {
  readonly adminUrl?: string
  readonly json?: true
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

export interface ShownRevision {
  readonly revision: string
  readonly created_at: string
  readonly public_key: string
  readonly signature: string
  readonly files: Readonly<Record<string, string>>
}

const SHORT = 'sha256:'.length + 12
const CHANGES = 20
const CHANGES_MAX = 1_000
const REVISION = /^(sha256:)?[0-9a-f]{6,64}$/

export const isRevision = (text: string): boolean => REVISION.test(text)

export function revisionOf(text: string): string {
  if (isRevision(text)) return text
  throw new InvalidArgumentError(
    'Write sha256:… or its first letters, six or more; `countersign policy list` shows them.',
  )
}

const withHistory = (command: Command): Command => withAdminUrl(command.option('--json', 'print JSON, for machines'))

export const policyListCommand = withHistory(new Command('list'))
  .description('show which policies were in force, newest first')
  .option('--limit <count>', 'so many changes at most', limitOf, CHANGES)
  .action(async ({ limit, json, ...options }: Options & { limit: number }) => {
    const listed = await adminClient(options).get<Listed>('/admin/policies', { limit })
    if (json) return print(JSON.stringify(listed, null, 2))
    const { in_force, changes } = listed
    if (in_force.why) note(`this gateway stays at ${in_force.revision}: ${in_force.why}`)
    const deciding = changes.find(({ revision }) => revision === in_force.revision)
    const rows = changes.map((change) => [
      change === deciding ? '*' : '',
      ...[String(change.seq), change.revision.slice(0, SHORT), change.at, change.origin, change.by],
    ])
    print(table([['', 'change', 'revision', 'at', 'origin', 'by'], ...rows]))
  })
  .addHelpText(
    'after',
    '\nThe star marks what this gateway decides by.\n\nExamples:\n  $ countersign policy list --limit 5',
  )

export const policyShowCommand = withHistory(new Command('show'))
  .description('show what a revision is made of, or write its files to a folder')
  .argument('<revision>', 'sha256:…, or its first letters', revisionOf)
  .option('--out <folder>', 'write the files here; none of them may be there yet')
  .action(async (revision: string, { out, json, ...options }: Options & { out?: string }) => {
    const shown = await adminClient(options).get<ShownRevision>(`/admin/policies/${revision}`)
    const names = Object.keys(shown.files).sort()
    if (out !== undefined) {
      writeTo(resolve(out), shown.files)
      note(`wrote ${names.length} files to ${out}`)
    }
    if (json) return print(JSON.stringify(shown, null, 2))
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

function limitOf(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= CHANGES_MAX) return count
  throw new InvalidArgumentError(`Write a whole number from 1 to ${CHANGES_MAX}.`)
}

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
