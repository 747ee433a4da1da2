/** The policy in force, and how another takes its place. */

import type { Policy } from '../model/decision.ts'
import { buildCandidate, type Candidate, type PolicyFolders } from './build.ts'
import { PolicyInstance } from './instance.ts'
import type { ProjectsRead } from './projects.ts'
import { explainPolicyRefusal, type PolicyRefusal } from './refusal.ts'
import { watchFolders } from './watch.ts'

export type Reloaded = { readonly changed: boolean; readonly revision: string } | PolicyRefusal

export interface PolicyStore {
  /** The revision in force now. A caller that must judge and record with one revision takes it once. */
  current(): Policy
  /** Reads, compiles and tries what lies in the folders, then swaps. A refused policy changes nothing. */
  reload(): Promise<Reloaded>
  /** Reloads when a file changes; tells of every revision that was swapped in or refused. */
  watch(onReload: (reloaded: Reloaded) => void): void
  close(): void
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

/** Rejects with what, where, why and the fix when the folders hold no policy that can be taken. */
export async function createPolicyStore(options: PolicyStoreOptions): Promise<PolicyStore> {
  const { cacheDir, preparedDir, log } = options
  const caches = { cacheDir, ...(preparedDir !== undefined && { preparedDir }) }
  const read: ProjectsRead = new Map()
  const first = await buildCandidate(options, { ...caches, read })
  if ('refused' in first) throw new Error(`There is no policy to decide by.\n${explainPolicyRefusal(first)}`)
  let projectsDirSeen = first.had_projects_dir
  let policy = await instantiate(first)
  let stopWatching = () => {}
  let queue: Promise<unknown> = Promise.resolve()

  async function instantiate(candidate: Candidate): Promise<Policy> {
    for (const warning of candidate.warnings) log.warn(warning, warning.message)
    return new PolicyInstance({ ...candidate, module: await WebAssembly.compile(candidate.wasm) })
  }

  async function reloadNow(): Promise<Reloaded> {
    const candidate = await buildCandidate(options, {
      ...caches,
      read,
      expect_projects_dir: projectsDirSeen,
      in_force: policy.revision,
    })
    if ('refused' in candidate) return candidate
    if (candidate.revision === policy.revision) return { changed: false, revision: policy.revision }
    policy = await instantiate(candidate)
    projectsDirSeen = candidate.had_projects_dir
    return { changed: true, revision: policy.revision }
  }

  /** One at a time, in the order asked for: an older reading must never replace a newer one. */
  const reload = (): Promise<Reloaded> => {
    const next = queue.then(reloadNow)
    queue = next.catch(() => {})
    return next
  }

  return {
    current: () => policy,
    reload,
    watch(onReload) {
      stopWatching()
      stopWatching = watchFolders([options.policyDir, options.libraryDir, options.projectsDir], async () => {
        try {
          const reloaded = await reload()
          if ('refused' in reloaded || reloaded.changed) onReload(reloaded)
        } catch (fault) {
          log.warn({ err: fault }, 'the changed policy could not be read; the old one stays')
        }
      })
    },
    close: () => stopWatching(),
  }
}
