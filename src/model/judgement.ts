/** What a door hands to the story of a decision without a call, and what the story hands back. */
import type { Decision } from './decision.ts'
import type { EventId } from './id.ts'
import type { Refusal } from './refusal.ts'

export type Judged = Judgement | Unjudged

export interface Judgement {
  readonly kind: 'judged'
  /** Absent where nothing was written down. */
  readonly event_id?: EventId
  readonly decision: Decision
  /** What the evaluation itself took. */
  readonly evaluation_ns: number
}

/** A question that cannot be believed or read. It fails closed: it is no permission. */
export interface Unjudged {
  readonly kind: 'refused'
  readonly event_id?: EventId
  readonly refusal: Refusal
}

/**
 * Answers in the order of the questions, up to and with the first for which `last` holds; one refusal where the credential
 * is none. A question is an input as in `schemas/decision-input.json`, in part or whole; undefined where none was asked; or
 * the refusal for one that the door could not read. Rejects with a fault where a part fails.
 */
export type Judge = (
  credential: string | null,
  questions: readonly unknown[],
  last?: (judged: Judged) => boolean,
) => Promise<readonly Judged[] | Unjudged>

/** Tells the refusal of the credential from the answers. */
export const isAnswered = (judged: readonly Judged[] | Unjudged): judged is readonly Judged[] => Array.isArray(judged)
