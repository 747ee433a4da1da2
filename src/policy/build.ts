/** From folders to a revision that passed its trial, ready to be swapped in. */
import { createHash } from 'node:crypto'
import { compile, keepCompiled } from './compile.ts'
import type { Revision } from './instance.ts'
import { NO_PROJECTS, type Projects, type ProjectsRead, readProjects } from './projects.ts'
import { type PolicyProblem, type PolicyRefusal, refusePolicy } from './refusal.ts'
import { type PolicySources, readSources } from './sources.ts'
import { tryPolicy } from './trial.ts'

export interface PolicyFolders {
  /** The operator's: tool_decision.rego, other Rego files beside it, data files. */
  readonly policyDir: string
  /** Project policies, one YAML file each; a folder that is not there holds none. */
  readonly projectsDir?: string
  /** The library that comes with the package: `rego/countersign`. */
  readonly libraryDir: string
}

export interface BuiltPolicy {
  /** `sha256:…` over the names and contents of everything that decides: Rego, data, library and project policies. */
  readonly revision: string
  readonly wasm: Buffer
  /** Nothing that stops the policy: expired grants. */
  readonly warnings: readonly PolicyProblem[]
}

export interface Candidate extends BuiltPolicy, Omit<Revision, 'module'> {
  readonly had_projects_dir: boolean
}

interface BuildOptions {
  /** Where compiled policies are kept. */
  readonly cacheDir?: string
  /** Policies that were compiled when the package was built; only read. */
  readonly preparedDir?: string
  /** Project policies read before. */
  readonly read?: ProjectsRead
  /** The projects' folder was there, and must not vanish: with it would go every project's denial by default. */
  readonly expect_projects_dir?: boolean
  /** A revision that needs no trial: it is the one in force. */
  readonly in_force?: string
}

const PROJECTS_TRIED_MAX = 3

/**
 * Compiles and tries the policy in these folders; for a CLI or a CI job. With `keepIn`, a folder, a store whose
 * `preparedDir` it is starts from the same sources without compiling.
 */
export async function buildPolicy(
  folders: PolicyFolders,
  options: { readonly keepIn?: string } = {},
): Promise<BuiltPolicy | PolicyRefusal> {
  const built = await buildCandidate(folders, options.keepIn === undefined ? {} : { cacheDir: options.keepIn })
  return 'refused' in built ? built : { revision: built.revision, wasm: built.wasm, warnings: built.warnings }
}

/** The files of a policy, and with them all data as OPA's own evaluator takes it, project policies included. */
export async function readPolicy({
  policyDir,
  projectsDir,
  libraryDir,
}: PolicyFolders): Promise<PolicySources | PolicyRefusal> {
  const sources = await readSources(policyDir, libraryDir)
  if ('refused' in sources) return sources
  const projects = projectsDir === undefined ? null : await readProjects(projectsDir, new Map())
  if (projects && 'refused' in projects) return projects
  return { ...sources, data: { ...sources.data, projects: Object.fromEntries(projects?.data ?? []) } }
}

export async function buildCandidate(
  { policyDir, projectsDir, libraryDir }: PolicyFolders,
  options: BuildOptions,
): Promise<Candidate | PolicyRefusal> {
  const sources = await readSources(policyDir, libraryDir)
  if ('refused' in sources) return sources
  const found = projectsDir === undefined ? null : await readProjects(projectsDir, options.read ?? new Map())
  if (found && 'refused' in found) return found
  if (!found && options.expect_projects_dir) return refusePolicy(vanished(projectsDir))
  const projects = found ?? NO_PROJECTS
  const revision = revisionOf(sources, projects)
  const compiled = await compile(
    sources,
    [options.cacheDir, options.preparedDir].filter((folder) => folder !== undefined),
  )
  if ('refused' in compiled) return compiled
  if (!compiled.cached || (options.in_force !== undefined && options.in_force !== revision)) {
    const tried = new Map([...projects.data].slice(0, PROJECTS_TRIED_MAX))
    const refusal = await tryPolicy(compiled.wasm, sources.data, tried)
    if (refusal) return refusal
  }
  if (!compiled.cached && options.cacheDir) await keepCompiled(sources, compiled.wasm, options.cacheDir)
  return {
    revision,
    wasm: compiled.wasm,
    data: sources.data,
    projects: projects.data,
    warnings: projects.warnings,
    had_projects_dir: found !== null,
  }
}

/** The digest of what `sha256sum` prints for the files, sorted by name. */
function revisionOf(sources: PolicySources, projects: Projects): string {
  const hash = createHash('sha256')
  const files = [...sources.files, ...projects.files].sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const { name, content } of files) {
    hash.update(`${createHash('sha256').update(content).digest('hex')}  ${name}\n`)
  }
  return `sha256:${hash.digest('hex')}`
}

const vanished = (projectsDir = ''): PolicyProblem => ({
  code: 'unreadable',
  file: projectsDir,
  message: 'the folder of project policies is gone, and with it every project’s denial by default',
  fix: 'Bring the folder back; to run without project policies, empty it or restart the gateway without it.',
})
