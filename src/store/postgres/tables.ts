/** The tables as Kysely types them: what a row holds when it is read, and what it takes when it is written. */
import type { ColumnType } from 'kysely'

type Timestamp = ColumnType<Date, string | Date, string | Date>
/** pg reads bigint as text, since it may pass 2^53. Ours never do: money is refused above it long before. */
type BigInteger = ColumnType<string, number, number>
/** Written as JSON text, read as the parsed tree. */
type JsonColumn = ColumnType<unknown, string | null, never>

interface AuditEventsTable {
  id: string
  event_id: string
  kind: string
  ts: Timestamp
  organisation: string
  project: string | null
  agent: string | null
  role: string | null
  run: string | null
  turn: number | null
  correlation_id: string | null
  call_id: string | null
  occurrence: number | null
  key_id: string | null
  provider: string | null
  operation: string | null
  action: string | null
  resource: string | null
  decision: string | null
  reason: string | null
  reasons: JsonColumn
  http_status: number | null
  grant_id: string | null
  approved_by: string | null
  expires: string | null
  params: JsonColumn
  customer: string | null
  spend: JsonColumn
  cost: BigInteger | null
  currency: string | null
  policy_revision: string | null
  outcome: string | null
  upstream_request_id: string | null
  latency_ms: number | null
  tags: JsonColumn
  /** SHA-256 over 0x00 and the row's canonical JSON: its leaf in a Merkle tree. */
  leaf_hash: Buffer
}

export interface VaultKeysTable {
  id: string
  digest: Buffer
  organisation: string
  project: string | null
  agent: string
  role: string | null
  run: string | null
  /** The key as the model has it, without what may change. */
  facts: JsonColumn
  created_at: Timestamp
  expires_at: Timestamp | null
  revoked_at: Timestamp | null
}

export interface UpstreamCredentialsTable {
  provider: string
  /** The empty text stands for the gateway's own: a primary key takes no null. */
  organisation: string
  key_version: number
  wrapped: Buffer
  created_at: Timestamp
}

interface PolicyRevisionsTable {
  revision: string
  own_digest: string
  packed: Buffer
  signature: Buffer
  public_key: Buffer
  created_at: Timestamp
}

interface PolicyModulesTable {
  compiled_as: string
  packed: Buffer
  signature: Buffer
  created_at: Timestamp
}

export interface PolicyChangesTable {
  seq: BigInteger
  revision: string
  own_digest: string
  previous: string | null
  origin: string
  by: string
  at: Timestamp
  signature: Buffer
}

/** The tables that are read through Kysely; the journal's hot path calls the database's own functions by prepared statement. */
export interface Tables {
  audit_events: AuditEventsTable
  vault_keys: VaultKeysTable
  upstream_credentials: UpstreamCredentialsTable
  policy_revisions: PolicyRevisionsTable
  policy_modules: PolicyModulesTable
  policy_changes: PolicyChangesTable
}
