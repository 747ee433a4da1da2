/** The policy in force, and how another takes its place. */

import type { Policy } from '../model/decision.ts'
import { Fault } from '../model/fault.ts'
import {
  buildCandidate,
  type Candidate,
  type PolicyFiles,
  type PolicyFolders,
  readFolders,
  tryCandidate,
} from './build.ts'
import type { CompiledElsewhere } from './compile.ts'
import { PolicyInstance } from './instance.ts'
import type { ProjectsRead } from './projects.ts'
import type { PolicyRefusal } from './refusal.ts'
import { type FoundFiles, findLibrary } from './sources.ts'

export interface PolicyStore {
  /** The revision in force now. A caller that must judge and record with one revision takes it once. Throws before the first. */
  current(): Policy
  /** What `current` was made of; null before the first. */
  inForce(): Candidate | null
  readFolders(): Promise<PolicyFiles | PolicyRefusal>
  /** The library of this gateway's version. */
  library(): Promise<FoundFiles | PolicyRefusal>
  /**
   * Compiles off the path, unless the rules were compiled before, here or `elsewhere`: such rules need no trial to be read
   * again; `tried` gives them one.
   */
  prepare(files: PolicyFiles, elsewhere?: CompiledElsewhere): Promise<Candidate | PolicyRefusal>
  /** The candidate once it has passed its trial. */
  tried(candidate: Candidate): Promise<Candidate | PolicyRefusal>
  /** From here on `current` is this one. */
  swap(candidate: Candidate): Promise<void>
}

export interface PolicyLog {
  warn(fields: object, message: string): void
}

export interface PolicyStoreOptions extends PolicyFolders {
  /** Compiled policies are kept here, so that a start does not compile. */
  readonly cacheDir: string
  /** Compiled when the package was built (`buildPolicy` with `keepIn`), so that not even the first start compiles. */
  readonly preparedDir?: string
  readonly log: PolicyLog
}

export function createPolicyStore(options: PolicyStoreOptions): PolicyStore {
  const { cacheDir, preparedDir, log } = options
  const caches = { cacheDir, ...(preparedDir !== undefined && { preparedDir }) }
  const read: ProjectsRead = new Map()
  let policy: Policy | null = null
  let source: Candidate | null = null

  return {
    current() {
      if (policy === null) throw new Fault('policy_unavailable', 'no policy is in force yet')
      return policy
    },
    inForce: () => source,
    readFolders: () => readFolders(options),
    library: () => findLibrary(options.libraryDir),
    prepare: (files, elsewhere) => buildCandidate(files, { ...caches, elsewhere, read, names: options.names }),
    async tried(candidate) {
      return candidate.tried ? candidate : ((await tryCandidate(candidate)) ?? { ...candidate, tried: true })
    },
    async swap(candidate) {
      for (const warning of candidate.warnings) log.warn(warning, warning.message)
      // At once: it takes milliseconds, while `compile` queues behind the embedded database, which is being optimised at a start.
      policy = new PolicyInstance({ ...candidate, module: new WebAssembly.Module(new Uint8Array(candidate.wasm)) })
      source = candidate
    },
  }
}
