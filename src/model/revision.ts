/** What a policy is made of, and the history of which one was in force: words and port. */
import type { AuditEvent } from './event.ts'

export interface PolicyFile {
  /** One layout everywhere: `tool_decision.rego`, `limits/data.yaml`, `countersign/…` (the library), `projects/x.yaml`. */
  readonly name: string
  readonly content: string
}

/** The folder of a gateway, the admin API, a bundle URL; or a return to what was in force before. */
export type PolicyOrigin = 'file' | 'admin' | 'bundle' | 'rollback'

/** Written once, never changed. */
export interface StoredRevision {
  /** `sha256:…`: the content address of all files. */
  readonly revision: string
  /** The same over the files that are not the library's: what an operator wrote, whatever the gateway's version. */
  readonly own_digest: string
  /** The files, compressed. */
  readonly packed: Buffer
  /** Ed25519, by the gateways' own key. */
  readonly signature: Buffer
  readonly public_key: Buffer
  /** RFC 3339. */
  readonly created_at: string
}

/** The change with the highest `seq` says what is in force. */
export interface PolicyChange {
  /** Counts from 1 without a gap, so that nobody can slip one in unseen between two that read the same newest. */
  readonly seq: number
  readonly revision: string
  readonly own_digest: string
  /** In force before; null for the first. */
  readonly previous: string | null
  readonly origin: PolicyOrigin
  /** Which gateway, whose token, which address. */
  readonly by: string
  /** RFC 3339. */
  readonly at: string
  readonly signature: Buffer
}

/** Every method rejects with a fault when the store cannot be reached. */
export interface RevisionStore {
  newest(): Promise<PolicyChange | null>
  /** Newest first. */
  changes(limit: number): Promise<readonly PolicyChange[]>
  get(revision: string): Promise<StoredRevision | null>
  /** Whether any revision was ever made of these files of an operator's. */
  knows(own_digest: string): Promise<boolean>
  /**
   * The change, the revision where it is new, and the audit rows: all or none. False, and nothing is written, where another
   * change took its `seq` first.
   */
  put(change: PolicyChange, revision: StoredRevision, events: readonly AuditEvent[]): Promise<boolean>
}
