/** The story of a revision: from a folder, the admin plane or a bundle into the history, and from there to every gateway. */
import type { Signer } from '../identity/index.ts'
import type { AuditEvent } from '../model/event.ts'
import { type Refusal, refuse } from '../model/refusal.ts'
import type { PolicyChange, PolicyFile, PolicyOrigin, RevisionStore, StoredRevision } from '../model/revision.ts'
import {
  type Candidate,
  explainPolicyRefusal,
  isLibrary,
  isPolicyRefusal,
  lostProjects,
  type PolicyFiles,
  type PolicyRefusal,
  type PolicyStore,
  refusePolicy,
} from '../policy/index.ts'
import { findRevision, HISTORY_MAX, theOneBefore } from './history.ts'
import { changedRow, reasonsOf, refusedRow } from './rows.ts'
import { signChange, signModule, signRevision, unverified, verifiedFiles, verifiedModule } from './signed.ts'

export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface RevisionParts {
  readonly policies: PolicyStore
  readonly store: RevisionStore
  readonly append: (events: readonly AuditEvent[]) => Promise<void>
  readonly signer: Signer
  /** This gateway, as the history names it. */
  readonly gateway: string
  readonly log: Log
  readonly now: () => Date
}

export interface Changed {
  readonly changed: boolean
  /** In force after it. */
  readonly revision: string
  readonly previous?: string
  /** Why what was offered did not take over, where it did not. */
  readonly why?: string
}

/** What somebody hands in. What is left out stays as it is in force. */
export interface Pushed {
  /** Rego and data by path; without the library, which is the gateway's. */
  readonly files?: Readonly<Record<string, string>>
  /** Project policies by file name. */
  readonly projects?: Readonly<Record<string, string>>
}

export interface PolicyStatus {
  readonly revision: string
  /** In force for everybody, and not here. */
  readonly wanted?: string
  readonly why?: string
}

export interface Revisions {
  /** Puts in force what the history says, or, where that knows nothing like it, what the folder holds. */
  start(folder: Candidate | PolicyRefusal, from: { readonly empty_only: boolean }): Promise<void>
  /** The gateway's own folder. */
  readonly folder: Source
  /** What a source holds now. Looked at for the first time, content that the history knows is no news, and changes nothing. */
  offer(source: Source, found: PolicyFiles | PolicyRefusal): Promise<Changed | PolicyRefusal>
  push(pushed: Pushed, by: string): Promise<Changed | Refusal>
  /** To the revision before, or to one that the history has; its first letters will do. */
  rollback(to: string | undefined, by: string): Promise<Changed | Refusal>
  /** Newest first. */
  history(limit: number): Promise<readonly PolicyChange[]>
  get(start: string): Promise<{ readonly stored: StoredRevision; readonly files: readonly PolicyFile[] } | Refusal>
  /** Takes over what another gateway put in force. */
  follow(): Promise<void>
  status(): PolicyStatus
}

/** A folder or a bundle URL, and what it held when it was last read. */
export interface Source {
  readonly origin: PolicyOrigin
  readonly by: string
  /** A revision; absent before it was read. */
  held?: string
}

/** How many changes back a start looks for one that it can load. */
const FALLBACKS_MAX = 20
const OVERTAKEN_MAX = 10
const RETRY_MS = 10_000

export function revisions({ policies, store, append, signer, gateway, log, now }: RevisionParts): Revisions {
  /** What is in force here; null before the start. */
  let at: PolicyChange | null = null
  let stuck: { readonly seq: number; readonly wanted: string; readonly why: string; readonly until: number } | null =
    null
  let unread: string | null = null
  const folder: Source = { origin: 'file', by: gateway }

  /** One after the other: an older reading must never replace a newer one. */
  let queue: Promise<unknown> = Promise.resolve()
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const next = queue.then(work)
    queue = next.catch(() => {})
    return next
  }

  async function refused(source: Pick<Source, 'origin' | 'by'>, refusal: PolicyRefusal): Promise<PolicyRefusal> {
    const { origin, by } = source
    log.error({ origin, by, why: explainPolicyRefusal(refusal) }, 'a policy was refused; the one in force stays')
    await append([refusedRow({ origin, by, from: at?.revision, refusal }, now())])
    return refusal
  }

  async function enter(candidate: Candidate, change: PolicyChange): Promise<void> {
    await policies.swap(candidate)
    at = change
    stuck = null
    const { seq, revision, origin, by } = change
    log.info({ seq, revision, origin, by }, 'the policy is in force')
  }

  /** What the gateway that published some rules compiled them to, where it had the same compiler. */
  async function compiledBefore(compiled_as: string): Promise<Buffer | null> {
    const stored = await store.module(compiled_as)
    const wasm = stored && (await verifiedModule(stored, signer))
    if (stored && !wasm)
      log.error({ compiled_as }, 'a compiled policy in the history does not verify; it is compiled again here')
    return wasm
  }

  /** A revision of the history, which passed its trial before it was published. */
  async function load(revision: string): Promise<Candidate | PolicyRefusal> {
    const own = policies.inForce()
    if (own?.revision === revision) return own
    const files = await verifiedFiles(await store.get(revision), revision, signer)
    if ('refused' in files) return files
    return policies.prepare(filesOf(files), compiledBefore)
  }

  async function loadChange(change: PolicyChange): Promise<Candidate | PolicyRefusal> {
    return unverified(change, signer) ?? load(change.revision)
  }

  async function followNow(): Promise<void> {
    const newest = await store.newest()
    if (newest === null || newest.seq <= (at?.seq ?? 0)) return
    if (stuck?.seq === newest.seq && stuck.until > now().getTime()) return
    const candidate = await loadChange(newest)
    if (!('refused' in candidate)) return enter(candidate, newest)
    const known = stuck?.seq === newest.seq
    const why = explainPolicyRefusal(candidate)
    stuck = { seq: newest.seq, wanted: newest.revision, why, until: now().getTime() + RETRY_MS }
    if (!known) await refused(newest, candidate)
  }

  /** Into the history and in force. The candidate must rest on nothing that another change could have changed since. */
  async function publish(
    candidate: Candidate,
    origin: PolicyOrigin,
    by: string,
    newest: PolicyChange | null,
  ): Promise<Changed | null> {
    if (candidate.revision === newest?.revision && stuck === null)
      return { changed: false, revision: candidate.revision }
    const instant = now()
    const { revision, own_digest, files } = candidate
    const previous = newest?.revision ?? null
    const at_ = instant.toISOString()
    const facts = { seq: (newest?.seq ?? 0) + 1, revision, own_digest, previous, origin, by, at: at_ }
    const change = signChange(facts, signer)
    const written = {
      change,
      revision: await signRevision(candidate, files, signer, at_),
      module: (await store.knowsModule(candidate.compiled_as)) ? null : await signModule(candidate, signer, at_),
      events: [changedRow(change, instant)],
    }
    if (!(await store.put(written))) return null
    await enter(candidate, change)
    return { changed: true, revision, ...(previous !== null && { previous }) }
  }

  /** Until nobody was faster. */
  async function publishing(
    source: Pick<Source, 'origin' | 'by'>,
    make: (newest: PolicyChange | null) => Promise<Candidate | PolicyRefusal | Changed>,
  ): Promise<Changed | PolicyRefusal> {
    for (let attempt = 0; attempt < OVERTAKEN_MAX; attempt += 1) {
      const newest = await store.newest()
      const made = await make(newest)
      if ('changed' in made) return made
      const candidate =
        'refused' in made ? made : (lostProjects(made, policies.inForce()) ?? (await policies.tried(made)))
      if ('refused' in candidate) return refused(source, candidate)
      const published = await publish(candidate, source.origin, source.by, newest)
      if (published) return published
      await followNow()
    }
    throw new Error('other gateways changed the policy again and again; try once more')
  }

  const knownBefore = async ({ revision, own_digest }: Candidate, newest: PolicyChange | null): Promise<boolean> => {
    if (newest === null || !(await store.knows(own_digest))) return false
    // The same files with another library: this gateway is of a new version.
    return newest.own_digest !== own_digest || (await store.get(revision)) !== null
  }

  async function offerNow(source: Source, found: Candidate | PolicyRefusal): Promise<Changed | PolicyRefusal> {
    if ('refused' in found) return refused(source, found)
    const before = source.held
    source.held = found.revision
    return publishing(source, async (newest) => {
      const inForce = newest?.revision ?? found.revision
      if (found.revision === newest?.revision || before === found.revision)
        return found.revision === inForce ? { changed: false, revision: inForce } : unasked(found, inForce)
      if (before === undefined && (await knownBefore(found, newest))) return unasked(found, inForce)
      return found
    })
  }

  /** An act of somebody's, here and now, is what it takes. */
  function unasked({ revision }: Candidate, inForce: string): Changed {
    const why = `The files make ${revision}, which the history knows and which is not in force; \`countersign policy push\` puts it there.`
    log.warn({ revision: inForce, files: revision }, why)
    return { changed: false, revision: inForce, why }
  }

  async function startNow(candidate: Candidate | PolicyRefusal, empty_only: boolean): Promise<void> {
    const newest = await store.newest()
    if (newest === null) {
      if ('refused' in candidate)
        throw new Error(`There is no policy to decide by.\n${explainPolicyRefusal(candidate)}`)
    } else if (!('refused' in candidate) && candidate.revision === newest.revision && !unverified(newest, signer)) {
      folder.held = candidate.revision
      return enter(candidate, newest)
    } else {
      await fallBack(newest)
      if (empty_only) return
    }
    const offered = await offerNow(folder, candidate)
    if ('refused' in offered && at === null)
      throw new Error(`There is no policy to decide by.\n${explainPolicyRefusal(offered)}`)
    // Another gateway was faster, with the same.
    if (at === null) await followNow()
  }

  /** The newest that can be loaded: as if this gateway had been running when what came after it was refused. */
  async function fallBack(newest: PolicyChange): Promise<void> {
    const refusals: string[] = []
    for (const change of await store.changes(FALLBACKS_MAX)) {
      const candidate = await loadChange(change)
      if (!('refused' in candidate)) {
        await enter(candidate, change)
        if (refusals.length > 0)
          stuck = { seq: newest.seq, wanted: newest.revision, why: refusals[0]!, until: now().getTime() + RETRY_MS }
        return
      }
      refusals.push(explainPolicyRefusal(candidate))
      if (change.seq === newest.seq) await refused(change, candidate)
    }
    throw new Error(`There is no policy to decide by: none in the history can be loaded.\n${refusals[0]}`)
  }

  const asRefusal = (result: Changed | PolicyRefusal): Changed | Refusal =>
    isPolicyRefusal(result)
      ? refuse('policy_refused', explainPolicyRefusal(result), {
          ...(result.problems[0] && { fix: result.problems[0].fix }),
          reasons: reasonsOf(result),
        })
      : result

  return {
    start: (candidate, { empty_only }) => inTurn(() => startNow(candidate, empty_only)),
    folder,

    offer: (source, found) =>
      inTurn(async () => offerNow(source, 'refused' in found ? found : await policies.prepare(found, compiledBefore))),

    push: (pushed, by) =>
      inTurn(async () => {
        const source = { origin: 'admin', by } as const
        const result = await publishing(source, async (newest) => {
          if (newest !== null && newest.seq > (at?.seq ?? 0) && stuck === null) await followNow()
          const library = await policies.library()
          if ('refused' in library) return library
          const found = merged(pushed, policies.inForce()?.files ?? [], library.files)
          return 'refused' in found ? found : policies.prepare(found, compiledBefore)
        })
        return asRefusal(result)
      }),

    rollback: (to, by) =>
      inTurn(async () => {
        const wanted = to === undefined ? theOneBefore(await store.changes(HISTORY_MAX)) : await findRevision(store, to)
        if (wanted === null)
          return refuse('not_found', 'There is no revision before the one in force.', {
            fix: 'Name one with `to` (--to); GET /admin/policies and `countersign policy list` show the history.',
          })
        if (typeof wanted !== 'string') return wanted
        return asRefusal(await publishing({ origin: 'rollback', by }, () => load(wanted)))
      }),

    history: (limit) => store.changes(Math.min(limit, HISTORY_MAX)),

    async get(start) {
      const revision = await findRevision(store, start)
      if (typeof revision !== 'string') return revision
      const stored = (await store.get(revision))!
      const files = await verifiedFiles(stored, revision, signer)
      return 'refused' in files ? refuse('policy_refused', explainPolicyRefusal(files)) : { stored, files }
    },

    follow: () =>
      inTurn(async () => {
        try {
          await followNow()
          unread = null
        } catch (error) {
          const why = `the history of policies cannot be read: ${(error as Error).message}`
          if (unread === null) log.error({ why }, 'the policy in force stays')
          unread = why
        }
      }),

    status: () => ({
      revision: policies.current().revision,
      ...(stuck && { wanted: stuck.wanted, why: stuck.why }),
      ...(unread !== null && { why: unread }),
    }),
  }
}

/** A stored policy is whole: without project policies it has none. */
const filesOf = (files: readonly PolicyFile[]): PolicyFiles => ({ files, has_projects: true, pathOf: (name) => name })

const isProject = (name: string): boolean => name.startsWith('projects/')

/** Names that mean the same on every machine. */
const PLAIN_NAME = /^[A-Za-z0-9_][\w.@ -]*(\/[A-Za-z0-9_][\w.@ -]*)*$/

/** What was pushed, over what is in force, with this gateway's library. */
function merged(
  { files, projects }: Pushed,
  inForce: readonly PolicyFile[],
  library: readonly PolicyFile[],
): PolicyFiles | PolicyRefusal {
  const rules = files
    ? Object.entries(files).map(([name, content]) => ({ name, content }))
    : inForce.filter(({ name }) => !isProject(name) && !isLibrary(name))
  const policies = projects
    ? Object.entries(projects).map(([name, content]) => ({ name: `projects/${name}`, content }))
    : inForce.filter(({ name }) => isProject(name))
  return withLibrary([...rules, ...policies], library)
}

/** An operator's files with the library of this gateway. A copy of the library among them is left out. */
export function withLibrary(
  own: readonly PolicyFile[],
  library: readonly PolicyFile[],
  has_projects = true,
): PolicyFiles | PolicyRefusal {
  const shipped = new Map(library.map(({ name, content }) => [name, content]))
  const files = own.filter(({ name, content }) => shipped.get(name) !== content)
  const odd = files.find(({ name }) => !PLAIN_NAME.test(name))
  if (odd)
    return refusePolicy({
      code: 'bad_name',
      file: odd.name,
      message: 'this is not a plain relative path',
      fix: 'Use letters, digits, _ . - and /, with no part that starts with a dot.',
    })
  const foreign = files.find(({ name }) => isLibrary(name))
  if (foreign)
    return refusePolicy({
      code: 'foreign_package',
      file: foreign.name,
      message: 'countersign/ is the library, which comes with the gateway',
      fix: 'Leave the folder out; write your rules in files beside it.',
    })
  return { files: [...files, ...library], has_projects, pathOf: (name) => name }
}
