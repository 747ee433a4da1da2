/** The question that policy answers, and its answer. The same shapes are in `schemas/decision-input.json` and `decision.json`. */
import type { Budget } from './budget.ts'
import type { Effect, JsonObject } from './operation.ts'

export interface DecisionInput {
  readonly provider: string
  readonly operation: string
  readonly group: string
  readonly effect: Effect
  readonly action: string
  readonly resource: string
  readonly method: string
  readonly path: string
  /** As sent. */
  readonly params: JsonObject
  /** Dotted paths of the params that send money elsewhere: `transfer_data`. Denied unless a rule allows them. */
  readonly guarded: readonly string[]
  /** Enriched: what would really move. Absent where nothing does. */
  readonly amount?: { readonly value: number; readonly currency: string }
  /** Enriched: whom it concerns. */
  readonly customer?: string
  readonly agent: { readonly id: string; readonly role?: string }
  readonly project?: string
  readonly organisation: string
  readonly run?: string
  readonly turn?: number
  readonly occurrence: number
  readonly key: {
    readonly id: string
    readonly providers?: readonly string[]
    readonly operations?: readonly string[]
    readonly endpoints?: readonly string[]
    readonly limits?: readonly object[]
    readonly customers?: readonly string[]
  }
  readonly correlation_id?: string
  /** RFC 3339, UTC. */
  readonly time: string
  readonly spend: readonly SpendFact[]
}

export interface SpendFact {
  readonly budget: string
  readonly scope: string
  readonly window: string
  readonly cap: number
  readonly spent: number
  readonly reserved: number
  readonly currency: string
}

export interface Reason {
  /** Machine-readable, snake_case. */
  readonly code: string
  readonly message: string
  /** Where it came from: `tool_decision.allow`, `countersign.defaults`, … */
  readonly rule: string
}

export type Verdict = 'allow' | 'deny' | 'hold'

export interface Decision {
  readonly decision: Verdict
  readonly reasons: readonly Reason[]
  readonly grant_id?: string
  /** Content address of the policy that decided: `sha256:…`. */
  readonly policy_revision: string
  readonly obligations: Obligations
}

/** What the gateway owes with a decision. On a denial only what concerns its row: `redact` and `tags`. */
export interface Obligations {
  /** Dotted pointers into params, beside the catalogue's: audit rows must not show what they lead to. */
  readonly redact?: readonly string[]
  /** Seconds; where it is shorter than the configured window, a repeat is answered from the record only so long. */
  readonly repeat_window_s?: number
  /** The call draws on these beside those that apply anyway. */
  readonly budgets?: readonly Budget[]
  /** Written to the audit row. */
  readonly tags?: Readonly<Record<string, string>>
}

/**
 * When the audit row of a decision without a call is committed. `commit`: before the reply. `buffered`: soon after it, so
 * that a crash may lose the last of them. `off`: never; whoever asks keeps a record of its own.
 */
export type DecisionAudit = 'commit' | 'buffered' | 'off'

/** The port to a loaded policy revision. Throws a fault when evaluation itself breaks; the story then refuses the call. */
export interface Policy {
  readonly revision: string
  decide(input: DecisionInput): Decision
}
