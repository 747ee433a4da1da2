/** The upstream credential as stored: sealed by the identity room, opaque to the store. */

export interface StoredCredential {
  readonly provider: string
  /** Null: the gateway's own, for every organisation that has none of its own. */
  readonly organisation: string | null
  /** Which master key wraps it. */
  readonly key_version: number
  /** The sealed bytes; only the identity room opens them. */
  readonly wrapped: Buffer
  /** RFC 3339, UTC. */
  readonly created_at: string
}

export interface CredentialStore {
  /** Replaces what was stored for this provider and organisation. */
  put(credential: StoredCredential): Promise<void>
  /** Exactly this organisation's (or, with null, the gateway's own); null where there is none. */
  get(provider: string, organisation: string | null): Promise<StoredCredential | null>
  list(): Promise<readonly StoredCredential[]>
  /** False where there was none. */
  delete(provider: string, organisation: string | null): Promise<boolean>
}
