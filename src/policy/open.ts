/** A policy opened for who wants to ask it more than one call decides: case tables, benchmarks, backtests. */
import type { Policy } from '../model/decision.ts'
import { type BuiltPolicy, buildFolders, type PolicyFolders } from './build.ts'
import { PolicyInstance } from './instance.ts'
import type { ProjectData } from './project-data.ts'
import type { PolicyRefusal } from './refusal.ts'
import { type PolicySources, readSources } from './sources.ts'

/** What a policy decides by, beside its rules. */
export interface World {
  /** The documents under `data`, `projects` left out. */
  readonly data: Readonly<Record<string, unknown>>
  /** Project name → its policy. */
  readonly projects: ReadonlyMap<string, ProjectData>
}

export interface OpenPolicy extends BuiltPolicy {
  readonly sources: PolicySources
  readonly world: World
  /** The compiled policy in this process; in another world than its own, where one is given. */
  instance(world?: World): Policy
}

/** Compiles and tries the policy in these folders. */
export async function openPolicy(folders: PolicyFolders): Promise<OpenPolicy | PolicyRefusal> {
  const sources = await readSources(folders.policyDir, folders.libraryDir)
  if ('refused' in sources) return sources
  const built = await buildFolders(folders, {})
  if ('refused' in built) return built
  const { revision, wasm, warnings, data, projects } = built
  const module = await WebAssembly.compile(wasm)
  const world = { data, projects }
  return {
    revision,
    wasm,
    warnings,
    sources,
    world,
    instance: (other = world) => new PolicyInstance({ revision, module, ...other }),
  }
}
