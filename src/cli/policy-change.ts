/** Which policy is in force, changed at a running gateway: push and rollback. */
import { Command } from 'commander'
import type { PolicyFile } from '../model/revision.ts'
import { explainPolicyRefusal, isLibrary, isPolicyRefusal, type PolicyFiles, readFolders } from '../policy/index.ts'
import { adminClient, RefusedError, withAdminUrl } from './admin-client.ts'
import { note, print } from './output.ts'
import { type FolderOptions, foldersOf, withFolders } from './policy-folders.ts'
import { revisionOf } from './policy-history.ts'

interface ChangeOptions {
  readonly adminUrl?: string
  readonly json?: true
}

interface Changed {
  readonly changed: boolean
  readonly revision: string
  readonly previous?: string
}

const PROJECTS = 'projects/'

const withChange = (command: Command): Command => withAdminUrl(command.option('--json', 'print JSON, for machines'))

export const policyPushCommand = withChange(withFolders(new Command('push')))
  .description('put the policy of these folders in force at every gateway')
  .action(async (options: FolderOptions & ChangeOptions) => {
    const found = await readFolders(foldersOf(options))
    if (isPolicyRefusal(found)) return refused(explainPolicyRefusal(found))
    const deciding = found.files.filter(({ name }) => !isLibrary(name) && !name.endsWith('_test.rego'))
    const isProject = ({ name }: PolicyFile) => name.startsWith(PROJECTS) && !name.endsWith('.rego')
    if (!found.has_projects) note('there is no folder of project policies: those in force stay')
    const body = {
      files: textsOf(deciding.filter((file) => !isProject(file))),
      ...(found.has_projects && { projects: textsOf(deciding.filter(isProject), PROJECTS.length) }),
    }
    await change(options, '/admin/policies', body, (line) => placedHere(line, found))
  })
  .addHelpText(
    'after',
    `
The gateway compiles and tries it first. What it cannot take it refuses, with file:line, what, why and the fix; then the
policy in force stays, and the command exits with 1. Whatever the history knows of these files, they take over: a changed
folder of a running gateway does so by itself, one that is merely found again does not.

Examples:
  $ countersign policy push
  $ countersign policy push --dir rego --projects policies`,
  )

export const policyRollbackCommand = withChange(new Command('rollback'))
  .description('put the policy before, or one of the history, in force at every gateway')
  .option('--to <revision>', 'sha256:…, or its first letters', revisionOf)
  .action(({ to, ...options }: ChangeOptions & { to?: string }) =>
    change(options, '/admin/policies/rollback', { ...(to !== undefined && { to }) }),
  )
  .addHelpText(
    'after',
    `
Twice goes two steps back. The folders of the gateways stay as they are, and do not take over again until somebody
changes them.

Examples:
  $ countersign policy rollback
  $ countersign policy rollback --to 3f2a81`,
  )

/** Tells what changed. A policy that is refused is told whole, each problem with its own fix. */
async function change(
  options: ChangeOptions,
  path: string,
  body: object,
  toLine = (line: string): string => line,
): Promise<void> {
  let answer: Changed
  try {
    answer = await adminClient(options).post<Changed>(path, body)
  } catch (error) {
    if (!(error instanceof RefusedError && error.code === 'policy_refused')) throw error
    return refused(error.detail.split('\n').map(toLine).join('\n'))
  }
  if (options.json) return print(JSON.stringify(answer, null, 2))
  const { changed, revision, previous } = answer
  note(changed ? `in force now${previous ? `, in place of ${previous}` : ''}:` : 'in force already:')
  print(revision)
}

function refused(why: string): void {
  note(`the policy is refused, and the one in force stays\n${why}`)
  process.exitCode = 1
}

const textsOf = (files: readonly PolicyFile[], without = 0): Record<string, string> =>
  Object.fromEntries(files.map(({ name, content }) => [name.slice(without), content]))

/** The gateway names a file as revisions do; editors and CI servers find it by its path here. */
function placedHere(line: string, { files, pathOf }: PolicyFiles): string {
  const file = files.find(({ name }) => line.startsWith(`${name}:`))
  return file ? `${pathOf(file.name)}${line.slice(file.name.length)}` : line
}
