/** Decisions on record, page by page: from the gateway's admin plane, or straight from the database of DATABASE_URL. */
import type { VaultKey } from '../model/agent.ts'
import type { AuditEvent, AuditQuery } from '../model/event.ts'
import { createJournal, createKeyStore, openPostgres } from '../store/postgres/index.ts'
import { adminClient, type Query } from './admin-client.ts'
import { CliError } from './output.ts'

export interface RecordedRows {
  /** The trail, for messages. */
  readonly name: string
  /** Oldest first. */
  pages(): AsyncIterable<readonly AuditEvent[]>
  /** Only of keys that the page just read names. */
  readonly key: (id: string) => VaultKey | undefined
  close(): Promise<void>
}

interface Source {
  readonly name: string
  pages(query: Query): AsyncIterable<readonly AuditEvent[]>
  keys(): Promise<readonly VaultKey[]>
  /** Null where there is no such key. */
  findKey(id: string): Promise<VaultKey | null>
  close(): Promise<void>
}

/** `since` begins the pages: without it they would be read from the first row ever. */
export async function openRecordedRows(
  { adminUrl }: { readonly adminUrl?: string },
  query: Query & { readonly since: string },
): Promise<RecordedRows> {
  const url = adminUrl === undefined ? process.env.DATABASE_URL : undefined
  const source = url ? databaseSource(url) : adminSource(adminUrl)
  const known = new Map<string, VaultKey | undefined>()
  async function* pages(): AsyncGenerator<readonly AuditEvent[]> {
    for (const key of await source.keys()) known.set(key.id, key)
    for await (const page of source.pages({ ...query, kind: 'decision', cursor: firstId(query.since) })) {
      for (const { key_id } of page)
        if (key_id !== undefined && !known.has(key_id)) known.set(key_id, (await source.findKey(key_id)) ?? undefined)
      yield page
    }
  }
  return { name: source.name, pages, key: (id) => known.get(id), close: source.close }
}

/** Gateways' clocks differ, and a row is named a little before it is dated. */
const CLOCKS_DIFFER_MS = 3_600_000

/** Ids of rows are UUIDv7: none that was written since is smaller than this, so the database need not look at those before. */
function firstId(since: string): string {
  const time = Math.max(0, Date.parse(since) - CLOCKS_DIFFER_MS)
    .toString(16)
    .padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`
}

function adminSource(adminUrl: string | undefined): Source {
  const client = adminClient(adminUrl === undefined ? {} : { adminUrl })
  return {
    name: `the gateway at ${client.url}`,
    async *pages(query) {
      let rest = ''
      const decoder = new TextDecoder()
      try {
        for await (const bytes of await client.lines('/admin/audit', query)) {
          const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
          rest = lines.pop()!
          if (lines.length > 0) yield lines.map(eventOf)
        }
      } catch (error) {
        if (!(error instanceof TypeError)) throw error
        throw new CliError('The trail was cut off on its way.', "Try again; the gateway's log says why it ended.")
      }
    },
    keys: async () => (await client.get<{ vault_keys: VaultKey[] }>('/admin/vault-keys')).vault_keys,
    // All keys were listed; one made since is listed by its id.
    findKey: async (id) =>
      (await client.get<{ vault_keys: VaultKey[] }>('/admin/vault-keys', { id })).vault_keys[0] ?? null,
    close: async () => undefined,
  }
}

/** An export has a null where a row says nothing; a null among the params is one that was sent. */
function eventOf(line: string): AuditEvent {
  const row = JSON.parse(line) as Record<string, unknown>
  const event: Record<string, unknown> = {}
  for (const name of Object.keys(row)) if (row[name] !== null) event[name] = row[name]
  return event as unknown as AuditEvent
}

const PAGE_ROWS = 1_000

function databaseSource(url: string): Source {
  const opened = openPostgres({ url })
  const journal = createJournal(opened)
  const keys = createKeyStore(opened.db)
  return {
    name: 'the database of DATABASE_URL',
    async *pages(query) {
      const ask = (cursor: string | undefined) =>
        journal.query({ ...query, limit: PAGE_ROWS, ...(cursor !== undefined && { cursor }) } as AuditQuery)
      let next = ask(query.cursor as string | undefined)
      for (;;) {
        const page = await next
        const last = page.length === PAGE_ROWS ? page.at(-1) : undefined
        // The database reads the next page while this one is judged.
        if (last) next = ask(last.id)
        // Whoever stops reading never sees how that ended.
        next.catch(() => {})
        yield page
        if (!last) return
      }
    },
    keys: () => keys.list({}),
    findKey: (id) => keys.get(id),
    close: () => journal.close(),
  }
}
