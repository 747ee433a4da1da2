/** From files to a revision that passed its trial, ready to be swapped in. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { ServiceNames } from '../model/names.ts'
import type { PolicyFile } from '../model/revision.ts'
import { type Compiled, type CompiledElsewhere, compile, keepCompiled } from './compile.ts'
import type { Revision } from './instance.ts'
import { pausing } from './pausing.ts'
import { findProjects, PROJECTS, type ProjectsRead, readProjects } from './projects.ts'
import { type PolicyProblem, type PolicyRefusal, refusePolicy } from './refusal.ts'
import { assemble, type FoundFiles, findFiles, LIBRARY, type PolicySources } from './sources.ts'
import { tryPolicy } from './trial.ts'

export interface PolicyFolders {
  /** The operator's: tool_decision.rego, other Rego files beside it, data files. */
  readonly policyDir: string
  /** Project policies, one YAML file each; a folder that is not there holds none. */
  readonly projectsDir?: string
  /** The library that comes with the package: `rego/countersign`. */
  readonly libraryDir: string
  /** What grants may name; without it, no name in a project policy is a mistake. */
  readonly names?: ServiceNames
}

/** A whole policy, project policies and library included, wherever it was found. */
export interface PolicyFiles extends FoundFiles {
  /** False: nothing says that there should be no project policies; their place was not found at all. */
  readonly has_projects: boolean
}

export interface BuiltPolicy {
  /** `sha256:…` over the names and contents of everything that decides: Rego, data, library and project policies. */
  readonly revision: string
  readonly wasm: Buffer
  /** Nothing that stops the policy: expired grants. */
  readonly warnings: readonly PolicyProblem[]
}

export interface Candidate extends BuiltPolicy, Omit<Revision, 'module'>, Pick<Compiled, 'compiled_as'> {
  /** The same digest without the library. */
  readonly own_digest: string
  /** What decides; no tests. */
  readonly files: readonly PolicyFile[]
  readonly has_projects: boolean
  /** False: its rules passed a trial before, perhaps with other data. */
  readonly tried: boolean
}

interface BuildOptions {
  /** Where compiled policies are kept. */
  readonly cacheDir?: string
  /** Policies that were compiled when the package was built; only read. */
  readonly preparedDir?: string
  readonly elsewhere?: CompiledElsewhere | undefined
  /** Project policies read before. */
  readonly read?: ProjectsRead
  /** What grants may name. */
  readonly names?: ServiceNames | undefined
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
  const built = await buildFolders(folders, options.keepIn === undefined ? {} : { cacheDir: options.keepIn })
  return 'refused' in built ? built : { revision: built.revision, wasm: built.wasm, warnings: built.warnings }
}

/** The files of a policy, and with them all data as OPA's own evaluator takes it, project policies included. */
export async function readPolicy(folders: PolicyFolders): Promise<PolicySources | PolicyRefusal> {
  const found = await readFolders(folders)
  return 'refused' in found ? found : readFiles(found, folders.names)
}

/** The same of files, wherever they were found. `names`: what grants may name. */
export async function readFiles(found: PolicyFiles, names?: ServiceNames): Promise<PolicySources | PolicyRefusal> {
  const { rules, projects } = parts(found)
  const sources = assemble(rules)
  if ('refused' in sources) return sources
  const read = await readProjects(projects, found.pathOf, new Map(), names)
  if ('refused' in read) return read
  return { ...sources, data: { ...sources.data, projects: Object.fromEntries(read.data) } }
}

export async function readFolders(folders: PolicyFolders): Promise<PolicyFiles | PolicyRefusal> {
  const { policyDir, projectsDir, libraryDir } = folders
  const rules = await findFiles(policyDir, libraryDir)
  if ('refused' in rules) return rules
  const projects = projectsDir === undefined ? null : await findProjects(projectsDir)
  if (projects && 'refused' in projects) return projects
  return {
    files: [...rules.files, ...(projects ?? [])],
    has_projects: projects !== null,
    pathOf: (name) => (isProject(name) ? join(projectsDir ?? '', name.slice(PROJECTS.length + 1)) : rules.pathOf(name)),
  }
}

async function buildFolders(folders: PolicyFolders, options: BuildOptions): Promise<Candidate | PolicyRefusal> {
  const found = await readFolders(folders)
  return 'refused' in found ? found : buildCandidate(found, { names: folders.names, ...options })
}

/** Compiles what was not compiled before, and tries what it compiled. */
export async function buildCandidate(found: PolicyFiles, options: BuildOptions): Promise<Candidate | PolicyRefusal> {
  const { rules, projects } = parts(found)
  const sources = assemble(rules)
  if ('refused' in sources) return sources
  const read = await readProjects(projects, found.pathOf, options.read ?? new Map(), options.names)
  if ('refused' in read) return read
  const files = [...sources.files, ...projects]
  const digests = await digestsOf(files)
  const compiled = await compile(
    sources,
    [options.cacheDir, options.preparedDir].filter((folder) => folder !== undefined),
    options.elsewhere,
  )
  if ('refused' in compiled) return compiled
  const candidate: Candidate = {
    ...digests,
    files,
    wasm: compiled.wasm,
    compiled_as: compiled.compiled_as,
    data: sources.data,
    projects: read.data,
    warnings: read.warnings,
    has_projects: found.has_projects,
    tried: !compiled.cached,
  }
  if (compiled.cached) return candidate
  const refusal = await tryCandidate(candidate)
  if (refusal) return refusal
  if (options.cacheDir) await keepCompiled(compiled, options.cacheDir)
  return candidate
}

export const tryCandidate = ({ wasm, data, projects }: Candidate): Promise<PolicyRefusal | null> =>
  tryPolicy(wasm, data, new Map([...projects].slice(0, PROJECTS_TRIED_MAX)))

/** With the project policies would go every project's denial by default. */
export function lostProjects(found: PolicyFiles | Candidate, inForce: Candidate | null): PolicyRefusal | null {
  if (found.has_projects || !inForce?.projects.size) return null
  return refusePolicy({
    code: 'unreadable',
    file: 'pathOf' in found ? found.pathOf(PROJECTS) : PROJECTS,
    message: 'the project policies are gone, and with them every project’s denial by default',
    fix: 'Bring the folder back; to run without project policies, leave it there and empty it.',
  })
}

const isProject = (name: string): boolean => name.startsWith(`${PROJECTS}/`) && /\.ya?ml$/.test(name)

export const isLibrary = (name: string): boolean => name.startsWith(`${LIBRARY}/`)

/** Rego, data and tests on one side, project policies on the other. */
export function parts({ files, pathOf }: PolicyFiles): { rules: FoundFiles; projects: readonly PolicyFile[] } {
  return {
    rules: { files: files.filter(({ name }) => !isProject(name)), pathOf },
    projects: files.filter(({ name }) => isProject(name)),
  }
}

export interface Digests {
  readonly revision: string
  readonly own_digest: string
}

/** Each is the digest of what `sha256sum` prints for the files, sorted by name. */
export async function digestsOf(files: readonly PolicyFile[]): Promise<Digests> {
  const all = createHash('sha256')
  const own = createHash('sha256')
  const pause = pausing()
  for (const { name, content } of [...files].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const line = `${createHash('sha256').update(content).digest('hex')}  ${name}\n`
    all.update(line)
    if (!isLibrary(name)) own.update(line)
    await pause()
  }
  return { revision: `sha256:${all.digest('hex')}`, own_digest: `sha256:${own.digest('hex')}` }
}
