/** Stripe's error bodies, with its types, codes and words. Thrown by a handler, answered in one place. */

type ErrorType = 'invalid_request_error' | 'card_error' | 'idempotency_error' | 'api_error'

interface ErrorBody {
  readonly type: ErrorType
  readonly message: string
  readonly code?: string
  readonly decline_code?: string
  readonly param?: string
  readonly charge?: string
  /** The whole object, as Stripe answers when a confirmation is declined. */
  readonly payment_intent?: object
}

/**
 * `validation`: the endpoint never began to run, so an idempotency key does not remember it.
 * `execution`: it ran and failed, and the key answers the same failure again.
 */
type Stage = 'validation' | 'execution'

export class StripeError extends Error {
  readonly status: number
  readonly body: ErrorBody
  readonly stage: Stage

  constructor(status: number, body: ErrorBody, stage: Stage) {
    super(body.message)
    this.status = status
    this.body = body
    this.stage = stage
  }
}

/** A param that cannot be read as what it should be. */
export const invalidParam = (message: string, param: string, code?: string): StripeError =>
  new StripeError(400, { type: 'invalid_request_error', message, param, ...(code && { code }) }, 'validation')

export const missingParam = (param: string): StripeError =>
  invalidParam(`Missing required param: ${param}.`, param, 'parameter_missing')

/** 400 for what the params name but the present state does not permit. */
export const notPermitted = (message: string, more: { code?: string; param?: string } = {}): StripeError =>
  new StripeError(400, { type: 'invalid_request_error', message, ...more }, 'execution')

export const resourceMissing = (what: string, id: string, param: string): StripeError =>
  new StripeError(
    404,
    { type: 'invalid_request_error', code: 'resource_missing', message: `No such ${what}: '${id}'`, param },
    'execution',
  )

export const unknownRoute = (method: string, path: string): StripeError =>
  new StripeError(
    404,
    { type: 'invalid_request_error', message: `Unrecognized request URL (${method}: ${path}).` },
    'validation',
  )

export const unauthenticated = (message: string): StripeError =>
  new StripeError(401, { type: 'invalid_request_error', message }, 'validation')

export const accountRefused = (account: string): StripeError =>
  new StripeError(
    403,
    {
      type: 'invalid_request_error',
      code: 'account_invalid',
      message: `The provided key does not have access to account '${account}' (or that account does not exist).`,
    },
    'validation',
  )
