/** A revision of the history, from the gateway's admin plane or straight from the database of DATABASE_URL. */
import { isRefusal } from '../model/refusal.ts'
import type { PolicyFile } from '../model/revision.ts'
import { explainPolicyRefusal, isPolicyRefusal, type OpenPolicy, openFiles, type PolicyFiles } from '../policy/index.ts'
import { contentOf, findRevision } from '../revisions/index.ts'
import { createRevisionStore, openPostgres } from '../store/postgres/index.ts'
import { adminClient } from './admin-client.ts'
import { CliError, waiting } from './output.ts'
import { names } from './policy-catalogue.ts'
import type { ShownRevision } from './policy-history.ts'

interface Options {
  readonly adminUrl?: string
}

/** With the library that it was stored with. `start`: its first letters. */
export async function storedFiles(start: string, options: Options): Promise<PolicyFiles> {
  const url = options.adminUrl === undefined ? process.env.DATABASE_URL : undefined
  const files = url ? await ofDatabase(start, url) : await ofGateway(start, options)
  return { files, has_projects: true, pathOf: (name) => name }
}

/** Compiled here. */
export async function openStored(start: string, options: Options): Promise<OpenPolicy> {
  const found = await storedFiles(start, options)
  const opened = await waiting(`compiling ${start}`, openFiles(found, names))
  if (!isPolicyRefusal(opened)) return opened
  throw new CliError(
    `This version cannot take the stored policy ${start}.\n${explainPolicyRefusal(opened)}`,
    'Compare it by the version of Countersign that it was in force with.',
  )
}

async function ofGateway(start: string, { adminUrl }: Options): Promise<readonly PolicyFile[]> {
  const gateway = adminClient(adminUrl === undefined ? {} : { adminUrl })
  const { files } = await gateway.get<ShownRevision>(`/admin/policies/${start}`)
  return Object.entries(files).map(([name, content]) => ({ name, content }))
}

async function ofDatabase(start: string, url: string): Promise<readonly PolicyFile[]> {
  const opened = openPostgres({ url })
  try {
    const store = createRevisionStore(opened.db)
    const revision = await findRevision(store, start)
    if (isRefusal(revision)) throw new CliError(revision.detail, revision.fix!)
    const files = await contentOf((await store.get(revision))!)
    if (!isPolicyRefusal(files)) return files
    const [problem] = files.problems
    throw new CliError(problem!.message, problem!.fix)
  } finally {
    await opened.close()
  }
}
