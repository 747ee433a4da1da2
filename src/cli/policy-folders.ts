/** Where the policy commands find a policy: options first, then the environment, then the folder they run in. */
import { relative } from 'node:path'
import type { Command } from 'commander'
import { readConfig } from '../config.ts'
import { POLICY_LIBRARY_DIR } from '../layout.ts'
import type { PolicyFolders } from '../policy/index.ts'
import { note } from './output.ts'
import { names } from './policy-catalogue.ts'

export interface FolderOptions {
  readonly dir?: string
  readonly projects?: string
}

export interface Folders extends PolicyFolders {
  readonly projectsDir: string
  /** False: there is no ./rego, and the packaged starter policy stands in. */
  readonly isOwn: boolean
}

export const withFolders = (command: Command): Command =>
  command
    .option('--dir <folder>', 'folder of tool_decision.rego (default: COUNTERSIGN_POLICY_DIR, else rego)')
    .option('--projects <folder>', 'folder of project policies (default: COUNTERSIGN_PROJECTS_DIR, else policies)')

export function foldersOf({ dir, projects }: FolderOptions): Folders {
  const env = { ...process.env, ...(dir && { COUNTERSIGN_POLICY_DIR: dir }) }
  const config = readConfig({ ...env, ...(projects && { COUNTERSIGN_PROJECTS_DIR: projects }) }, process.cwd())
  if (!config.policy_is_own) note('there is no ./rego: this is the packaged starter policy')
  return {
    policyDir: near(config.policy_dir),
    projectsDir: near(config.projects_dir),
    libraryDir: POLICY_LIBRARY_DIR,
    names,
    isOwn: config.policy_is_own,
  }
}

/** Reports name files as editors and CI servers find them: from here, where they lie here. */
function near(path: string): string {
  const way = relative('', path)
  return way.startsWith('..') ? path : way || '.'
}
