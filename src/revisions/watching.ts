/** Keeps a gateway's policy up to date: with the history, with its folder or its bundle. */
import { explainPolicyRefusal, type PolicyFolders, type PolicyStore, watchFolders } from '../policy/index.ts'
import { type BundleSettings, bundleReader } from './bundle.ts'
import { type Log, type Revisions, type Source, withLibrary } from './revisions.ts'

/** Well within the second in which every gateway must follow. */
const FOLLOW_EVERY_MS = 300

export interface Watching {
  readonly revisions: Revisions
  readonly policies: PolicyStore
  readonly folders: PolicyFolders
  /** Set: the bundle takes the folder's place. */
  readonly bundle: BundleSettings | undefined
  readonly log: Log
}

export function watchPolicies({ revisions, policies, folders, bundle, log }: Watching): () => Promise<void> {
  const stops = [every(FOLLOW_EVERY_MS, () => revisions.follow())]
  if (bundle === undefined) {
    const stop = watchFolders([folders.policyDir, folders.libraryDir, folders.projectsDir], async () => {
      try {
        await revisions.offer(revisions.folder, await policies.readFolders())
      } catch (fault) {
        log.error({ why: (fault as Error).message }, 'the changed policy could not be read; the old one stays')
      }
    })
    stops.push(async () => stop())
  } else {
    const source: Source = { origin: 'bundle', by: bundle.url }
    const read = bundleReader(bundle)
    let failing = ''
    stops.push(
      every(
        bundle.every_ms,
        async () => {
          const answer = await read()
          if (answer.kind === 'failed') {
            if (answer.why !== failing)
              log.error({ bundle: bundle.url, why: answer.why }, 'the bundle cannot be read; the policy in force stays')
            failing = answer.why
            return
          }
          failing = ''
          if (answer.kind === 'same') return
          const library = await policies.library()
          const found = 'refused' in library ? library : withLibrary(answer.files, library.files, answer.has_projects)
          const offered = await revisions.offer(source, found)
          if ('refused' in offered) log.error({ why: explainPolicyRefusal(offered) }, 'the bundle was refused')
        },
        (fault) => log.error({ bundle: bundle.url, why: (fault as Error).message }, 'the bundle could not be taken'),
      ),
    )
  }
  return async () => void (await Promise.all(stops.map((stop) => stop())))
}

/** Runs at once and then again and again, never twice at once. Answers how to stop, which waits for the run under way. */
function every(
  ms: number,
  run: () => Promise<void>,
  onFault: (fault: unknown) => void = () => {},
): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const turn = async (): Promise<void> => {
    await run().catch(onFault)
    if (!stopped) timer = setTimeout(() => (under = turn()), ms).unref()
  }
  let under = turn()
  return async () => {
    stopped = true
    clearTimeout(timer)
    await under
  }
}
