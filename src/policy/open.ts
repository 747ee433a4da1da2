/** A policy opened for who wants to ask it more than one call decides: case tables, benchmarks, backtests. */
import type { Policy } from '../model/decision.ts'
import type { ServiceNames } from '../model/names.ts'
import type { PolicyFile } from '../model/revision.ts'
import { type BuiltPolicy, buildCandidate, type PolicyFiles, type PolicyFolders, parts, readFolders } from './build.ts'
import { PolicyInstance } from './instance.ts'
import type { ProjectData } from './project-data.ts'
import type { PolicyRefusal } from './refusal.ts'
import { assemble, type PolicySources } from './sources.ts'

/** What a policy decides by, beside its rules. */
export interface World {
  /** The documents under `data`, `projects` left out. */
  readonly data: Readonly<Record<string, unknown>>
  /** Project name → its policy. */
  readonly projects: ReadonlyMap<string, ProjectData>
}

export interface OpenPolicy extends BuiltPolicy {
  readonly sources: PolicySources
  /** What decides; no tests. */
  readonly files: readonly PolicyFile[]
  readonly world: World
  /** The compiled policy in this process; in another world than its own, where one is given. */
  instance(world?: World): Policy
}

/** Compiles and tries the policy in these folders. */
export async function openPolicy(folders: PolicyFolders): Promise<OpenPolicy | PolicyRefusal> {
  const found = await readFolders(folders)
  return 'refused' in found ? found : openFiles(found, folders.names)
}

/** The same of files, wherever they were found. `names`: what grants may name. */
export async function openFiles(found: PolicyFiles, names?: ServiceNames): Promise<OpenPolicy | PolicyRefusal> {
  const sources = assemble(parts(found).rules)
  if ('refused' in sources) return sources
  const built = await buildCandidate(found, { names })
  if ('refused' in built) return built
  const { revision, wasm, warnings, files, data, projects } = built
  const module = await WebAssembly.compile(wasm)
  const world = { data, projects }
  return {
    revision,
    wasm,
    warnings,
    sources,
    files,
    world,
    instance: (other = world) => new PolicyInstance({ revision, module, ...other }),
  }
}
