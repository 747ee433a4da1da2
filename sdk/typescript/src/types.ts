/** What goes in and what comes out. Names on the wire are snake_case; here they are camelCase. */
import type { StripeOperations } from './generated/stripe.ts'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export type JsonObject = { readonly [key: string]: Json }

/**
 * The providers whose operations are known by type, generated from the gateway's catalogue: operation name → its params.
 * A provider of your own can be added by declaration merging.
 */
export interface Catalogue {
  stripe: StripeOperations
}

/** Keeps completion of the known names while any other string passes. */
type Other = string & Record<never, never>

export type ProviderName = keyof Catalogue | Other
export type OperationName<Provider extends string> = Provider extends keyof Catalogue
  ? (keyof Catalogue[Provider] & string) | Other
  : string

/** The params of an operation that the catalogue knows; any JSON object for one that it does not. */
export type ParamsOf<Provider extends string, Operation extends string> = Provider extends keyof Catalogue
  ? Operation extends keyof Catalogue[Provider]
    ? Catalogue[Provider][Operation]
    : JsonObject
  : JsonObject

/** Every call that the catalogue knows, in either form: for `callProvider<Data>`, which leaves nothing else to be inferred. */
export type KnownCall = {
  [Provider in keyof Catalogue]: {
    [Name in keyof Catalogue[Provider] & string]:
      | [provider: Provider, operation: Name, params: Catalogue[Provider][Name], options?: CallOptions]
      | [call: NamedCall<Provider, Name>]
  }[keyof Catalogue[Provider] & string]
}[keyof Catalogue]

/** Nothing fits it: without a type argument, the other forms of `callProvider` are meant. */
export type NoCall = [provider: never, operation: never, params: never]

export interface CallOptions {
  /**
   * The name of this call, unique in its run: pass your framework's tool-call id, and a repeat is answered from the
   * record. Made up anew for each `callProvider` where it is absent, so that only the SDK's own retries share it.
   */
  readonly callId?: string | undefined
  /** 2, 3, …: this is a wanted twin of an earlier call with the same params. */
  readonly occurrence?: number | undefined
  /** Where in the run. */
  readonly turn?: number | undefined
  /** Joins one incident across systems. */
  readonly correlationId?: string | undefined
  /** Decide only: nothing is reserved, nothing reaches the provider. */
  readonly dryRun?: boolean | undefined
  /** `request-access` asks a human for a grant, waits up to `waitMs`, and sends the call once more. Default: `throw`. */
  readonly onDenied?: 'throw' | 'request-access' | undefined
  /** What `request-access` asks for; the call's own action and resource, for one hour, where it does not say. */
  readonly accessRequest?: AccessRequestOptions | undefined
  /** How long to wait for a human, or for an outcome that is not known yet, in milliseconds. Default: 0, do not wait. */
  readonly waitMs?: number | undefined
  /** Stops sending and waiting. A call that the gateway already has runs to its end there, and is recorded. */
  readonly signal?: AbortSignal | undefined
}

export interface AccessRequestOptions {
  /** `stripe:refunds:create` */
  readonly action?: string | undefined
  /** `stripe.com/v1/refunds` */
  readonly resource?: string | undefined
  /** `15m`, `1h`, `2d` */
  readonly duration?: string | undefined
  /** What the human reads. */
  readonly reason?: string | undefined
}

/** The form by name of one call. */
export interface NamedCall<Provider extends string, Operation extends string> extends CallOptions {
  readonly provider: Provider
  readonly operation: Operation
  readonly params: ParamsOf<Provider, Operation>
}

export type Decision = 'allow' | 'deny' | 'hold'

export interface Reason {
  readonly code: string
  readonly message: string
  readonly rule: string
}

export interface Cost {
  /** Minor units: cents for USD, yen for JPY. */
  readonly amount: number
  /** ISO 4217, lower case. */
  readonly currency: string
}

export interface CallResult<Data = Json> {
  /** The provider's answer; null where a dry run has none. */
  readonly data: Data
  /** The audit event of this call, for ever. */
  readonly eventId: string
  /** True where an earlier call was this one: the answer is the record's, and nothing was sent again. */
  readonly replayed: boolean
  /** Absent where the call costs nothing. */
  readonly cost?: Cost
  readonly decision: Decision
  /** The provider's HTTP status. */
  readonly status: number
}

/**
 * How far a call has come. `held` waits for a human, `approved` for the agent to send it again; `failed` is surely
 * without effect; `unknown` was sent, and nobody knows yet.
 */
export type CallState = 'denied' | 'held' | 'approved' | 'running' | 'succeeded' | 'failed' | 'unknown'

/** One call as the gateway recorded it. */
export interface CallRecord {
  readonly eventId: string
  readonly state: CallState
  readonly decision?: Decision
  readonly provider?: string
  readonly operation?: string
  /** The provider's HTTP status, its answer or its error: present once it answered. */
  readonly status?: number
  readonly data?: Json
  readonly error?: Json
  readonly cost?: Cost
  /** Why it was denied. */
  readonly reason?: string
  readonly reasons?: readonly Reason[]
  /** When it was decided: RFC 3339, UTC. */
  readonly at?: string
}

/** What this vault key may call. */
export interface Operation {
  readonly provider: string
  /** `create_refund` */
  readonly operation: string
  readonly group: string
  readonly effect: 'read' | 'write'
  readonly action: string
  readonly resource: string
  readonly summary?: string
  /** JSON Schema (2020-12) of all params as one object. */
  readonly params?: JsonObject
}
