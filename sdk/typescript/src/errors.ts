/** Everything that `callProvider` throws. The gateway's closed set of problem codes decides the class; a code from a newer gateway goes by its status. */
import { isObject, text } from './json.ts'
import type { Json, JsonObject, Reason } from './types.ts'

export interface ErrorFacts {
  /** Machine-readable, snake_case: the gateway's problem code, or one of the SDK's own. */
  readonly code: string
  readonly detail: string
  readonly fix?: string | undefined
  readonly eventId?: string | undefined
  readonly callId?: string | undefined
  readonly reasons?: readonly Reason[] | undefined
  /** HTTP; absent where no answer came. */
  readonly status?: number | undefined
  readonly retryable?: boolean | undefined
  readonly cause?: unknown
}

export class CountersignError extends Error {
  // Names are spelt out, because a minifier renames classes.
  override readonly name: string = 'CountersignError'
  readonly code: string
  /** What was wrong with this very call. */
  readonly detail: string
  /** What to do about it. */
  readonly fix: string
  /** The audit event, where the gateway made one. */
  readonly eventId: string | undefined
  /** The id under which the call was sent: sending it again with this id can never act twice. */
  readonly callId: string | undefined
  readonly reasons: readonly Reason[]
  readonly status: number | undefined
  /** Whether the same call, under the same call id, could pass later. */
  readonly retryable: boolean

  constructor(facts: ErrorFacts) {
    super(facts.fix ? `${facts.detail} ${facts.fix}` : facts.detail, { cause: facts.cause })
    this.code = facts.code
    this.detail = facts.detail
    this.fix = facts.fix ?? ''
    this.eventId = facts.eventId
    this.callId = facts.callId
    this.reasons = facts.reasons ?? []
    this.status = facts.status
    this.retryable = facts.retryable ?? false
  }

  /** The same as `eventId`, by its name on the wire and in the Python SDK. */
  get event_id(): string | undefined {
    return this.eventId
  }
}

/** Policy, the vault key's own scope or a missing price said no. */
export class DeniedError extends CountersignError {
  override readonly name: string = 'DeniedError'
  /** The access request that was made for it, under `onDenied: 'request-access'`. */
  readonly accessRequestId: string | undefined

  constructor(facts: ErrorFacts & { readonly accessRequestId?: string | undefined }) {
    super(facts)
    this.accessRequestId = facts.accessRequestId
  }
}

/** The call would pass a spend cap; it never left the gateway. */
export class BudgetExceededError extends DeniedError {
  override readonly name: string = 'BudgetExceededError'
}

/** A human must approve this very call, and has not yet. */
export class HeldError extends CountersignError {
  override readonly name: string = 'HeldError'
  readonly approvalId: string | undefined
  /** RFC 3339, UTC. */
  readonly expiresAt: string | undefined

  constructor(
    facts: ErrorFacts & { readonly approvalId?: string | undefined; readonly expiresAt?: string | undefined },
  ) {
    super(facts)
    this.approvalId = facts.approvalId
    this.expiresAt = facts.expiresAt
  }
}

/** The call id belongs to another call, or the same call was made before or is still running. */
export class ConflictError extends CountersignError {
  override readonly name: string = 'ConflictError'
}

/** The call may have had its effect. Never make it again as a new call: ask `agent.call(eventId)`, or repeat the same call id. */
export class UnknownOutcomeError extends CountersignError {
  override readonly name: string = 'UnknownOutcomeError'
}

/** The provider answered with an error of its own: `status` and `body` are the provider's. */
export class ProviderError extends CountersignError {
  override readonly name: string = 'ProviderError'
  readonly body: Json
  declare readonly status: number

  constructor(facts: ErrorFacts & { readonly status: number; readonly body: Json }) {
    super(facts)
    this.body = facts.body
  }
}

/** The vault key is missing, not one, expired or revoked. */
export class AuthenticationError extends CountersignError {
  override readonly name: string = 'AuthenticationError'
}

/** The gateway cannot decide, reserve, record or reach the provider, or cannot be reached itself; surely without effect. */
export class UnavailableError extends CountersignError {
  override readonly name: string = 'UnavailableError'
}

type ErrorClass = new (facts: ErrorFacts) => CountersignError

const CLASS_OF_CODE: Readonly<Record<string, ErrorClass>> = {
  spend_cap_exceeded: BudgetExceededError,
  upstream_failed: UnavailableError,
  internal_fault: UnavailableError,
}

/** A 500, 502 or 504 whose code says nothing better may have come after the effect, so it is never called harmless. */
const CLASS_OF_STATUS: Readonly<Record<number, ErrorClass>> = {
  401: AuthenticationError,
  403: DeniedError,
  409: ConflictError,
  500: UnknownOutcomeError,
  502: UnknownOutcomeError,
  503: UnavailableError,
  504: UnknownOutcomeError,
}

/** What `code` is where the answer is no problem document: a proxy's page, or a wrong baseUrl. */
export const codeOfStatus = (status: number): string => `http_${status}`

/** A problem document (RFC 9457), or whatever else came in its place, as the error to throw. */
export function errorOf(status: number, body: Json | undefined, callId?: string): CountersignError {
  const problem: JsonObject = isObject(body) ? body : {}
  const code = text(problem.code)
  const Class = (code === undefined ? undefined : CLASS_OF_CODE[code]) ?? CLASS_OF_STATUS[status] ?? CountersignError
  return new Class({
    code: code ?? codeOfStatus(status),
    status,
    detail:
      text(problem.detail) ??
      text(problem.title) ??
      `The answer (HTTP ${status}) is not one that a Countersign gateway gives.`,
    fix:
      text(problem.fix) ??
      (code === undefined
        ? 'Check that baseUrl is the agent plane of the gateway, and what any proxy in between did.'
        : ''),
    retryable: problem.retryable === true,
    reasons: reasonsOf(problem.reasons),
    eventId: text(problem.event_id),
    callId,
  })
}

/** Reasons as they came; members of another type are empty. */
export function reasonsOf(value: Json | undefined): readonly Reason[] {
  if (!Array.isArray(value)) return []
  return value.filter(isObject).map((reason) => ({
    code: text(reason.code) ?? '',
    message: text(reason.message) ?? '',
    rule: text(reason.rule) ?? '',
  }))
}
