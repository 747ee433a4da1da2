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

/** The rules of a revision as some gateway compiled them, for those that follow. Written once, never changed. */
export interface StoredModule {
  /** A digest of the compiler and of the rules: what another compiler makes of them is another module. */
  readonly compiled_as: string
  /** The WASM, compressed. */
  readonly packed: Buffer
  /** Ed25519, as a revision's. */
  readonly signature: Buffer
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

export interface NewChange {
  readonly change: PolicyChange
  readonly revision: StoredRevision
  /** Null where the store knows it. */
  readonly module: StoredModule | null
  readonly events: readonly AuditEvent[]
}

/** Every method rejects with a fault when the store cannot be reached. */
export interface RevisionStore {
  newest(): Promise<PolicyChange | null>
  /** Newest first. */
  changes(limit: number): Promise<readonly PolicyChange[]>
  get(revision: string): Promise<StoredRevision | null>
  /** Whether any revision was ever made of these files of an operator's. */
  knows(own_digest: string): Promise<boolean>
  module(compiled_as: string): Promise<StoredModule | null>
  knowsModule(compiled_as: string): Promise<boolean>
  /**
   * All or none, the revision and the module where they are new. False, and nothing is written, where another change took its
   * `seq` first.
   */
  put(written: NewChange): Promise<boolean>
}
