/** Who acts, and the credential by which they do. */
import type { Budget } from './budget.ts'

export type RepeatMode = 'replay' | 'deny' | 'off'

/** One limit on a parameter; every one that is given must hold. A parameter that is absent fails its limit. */
export interface ParamLimit {
  readonly param: string
  readonly max?: number
  readonly min?: number
  readonly in?: readonly (string | number | boolean)[]
}

/** A vault key as stored: never the secret itself, only its keyed digest. Absent lists do not narrow. */
export interface VaultKey {
  readonly id: string
  readonly name?: string
  readonly organisation: string
  readonly project?: string
  readonly agent: { readonly id: string; readonly role?: string }
  readonly run?: string
  readonly providers?: readonly string[]
  /** Operation groups and names. */
  readonly operations?: readonly string[]
  /** `POST /v1/charges`: method and path template. */
  readonly endpoints?: readonly string[]
  readonly limits?: readonly ParamLimit[]
  readonly customers?: readonly string[]
  readonly budgets: readonly Budget[]
  readonly repeat?: RepeatMode
  readonly created_at: string
  readonly expires_at?: string
  readonly revoked_at?: string
}

/** The key store: PostgreSQL or the embedded database. */
export interface KeyStore {
  /** Null when no key has this digest. Expired and revoked keys are returned: the caller says why it refuses. */
  findByDigest(digest: Buffer): Promise<VaultKey | null>
  get(id: string): Promise<VaultKey | null>
  list(filter: KeyFilter): Promise<readonly VaultKey[]>
  insert(key: VaultKey, digest: Buffer): Promise<void>
  /** Sets `revoked_at` where it is not set; returns the ids that it revoked. */
  revoke(filter: KeyFilter, at: string): Promise<readonly string[]>
  /** Moves `expires_at` forward to `at` if it is later or absent (rotation's overlap). */
  expireBy(id: string, at: string): Promise<void>
}

export interface KeyFilter {
  readonly id?: string
  readonly organisation?: string
  readonly project?: string
  readonly agent?: string
  readonly role?: string
  readonly run?: string
}
