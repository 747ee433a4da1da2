import { describe, expect, test } from 'vitest'
import {
  AuthenticationError,
  BudgetExceededError,
  ConflictError,
  CountersignError,
  DeniedError,
  UnavailableError,
  UnknownOutcomeError,
} from '../../sdk/typescript/src/index.ts'
import { REFUSALS, type RefusalCode } from '../../src/model/refusal.ts'
import { EVENT, problem, REFUND, scriptedGateway, thrownBy } from './scripted-gateway.ts'

const CLASS_OF: Readonly<Record<RefusalCode, new (...facts: never[]) => CountersignError>> = {
  malformed_request: CountersignError,
  bad_path: CountersignError,
  invalid_params: CountersignError,
  request_too_large: CountersignError,
  request_timeout: CountersignError,
  missing_credential: AuthenticationError,
  unknown_key: AuthenticationError,
  live_provider_key: AuthenticationError,
  admin_token_refused: AuthenticationError,
  expired_key: AuthenticationError,
  revoked_key: AuthenticationError,
  wrong_provider: DeniedError,
  unknown_provider: CountersignError,
  unknown_operation: DeniedError,
  run_mismatch: DeniedError,
  policy_denied: DeniedError,
  approval_required: DeniedError,
  spend_cap_exceeded: BudgetExceededError,
  price_unknown: DeniedError,
  currency_without_rate: DeniedError,
  call_id_conflict: ConflictError,
  duplicate_call: ConflictError,
  call_in_flight: ConflictError,
  outcome_unknown: UnknownOutcomeError,
  upstream_failed: UnavailableError,
  enrichment_failed: CountersignError,
  credential_missing: UnavailableError,
  policy_unavailable: UnavailableError,
  policy_refused: CountersignError,
  audit_unavailable: UnavailableError,
  counters_unavailable: UnavailableError,
  counters_rehydrating: UnavailableError,
  draining: UnavailableError,
  not_found: CountersignError,
  internal_fault: UnavailableError,
}

/** Codes of a gateway newer than this SDK, and answers that are no gateway's. */
const BY_STATUS = [
  [400, CountersignError],
  [401, AuthenticationError],
  [403, DeniedError],
  [404, CountersignError],
  [409, ConflictError],
  [429, CountersignError],
  [500, UnknownOutcomeError],
  [502, UnknownOutcomeError],
  [503, UnavailableError],
  [504, UnknownOutcomeError],
] as const

test('every refusal of the gateway has its class here', () => {
  expect(Object.keys(CLASS_OF).sort()).toEqual(Object.keys(REFUSALS).sort())
})

describe('an error’s class', () => {
  test.each(Object.entries(CLASS_OF))('%s', async (code, Class) => {
    const { status } = REFUSALS[code as RefusalCode]
    const { agentWith } = await scriptedGateway({ [REFUND]: [problem(status, code)] })
    const thrown = await thrownBy(agentWith({ maxRetries: 0 }).callProvider('stripe', 'create_refund', {}))
    expect(thrown).toMatchObject({ name: Class.name, constructor: Class, code, status })
  })

  test.each(BY_STATUS)('a code from the future with status %i', async (status, Class) => {
    const { agentWith } = await scriptedGateway({ [REFUND]: [problem(status, 'from_the_future')] })
    const thrown = await thrownBy(agentWith({ maxRetries: 0 }).callProvider('stripe', 'create_refund', {}))
    expect(thrown).toMatchObject({ constructor: Class, code: 'from_the_future', status })
  })

  test.each(BY_STATUS)('a page of a proxy with status %i', async (status, Class) => {
    const { agentWith } = await scriptedGateway({ [REFUND]: [{ status, body: '<html>' }] })
    const thrown = await thrownBy(agentWith({ maxRetries: 0 }).callProvider('stripe', 'create_refund', {}))
    expect(thrown).toMatchObject({ constructor: Class, code: `http_${status}`, status })
  })

  test('a cap is a denial too, and every error is a CountersignError', () => {
    const error = new BudgetExceededError({ code: 'spend_cap_exceeded', detail: 'Over.' })
    expect(error).toBeInstanceOf(DeniedError)
    expect(error).toBeInstanceOf(CountersignError)
    expect(error).toBeInstanceOf(Error)
  })
})

test('an error carries what a program and its reader need', async () => {
  const reasons = [{ code: 'default_deny', message: 'Writes are denied.', rule: 'countersign.defaults' }]
  const { agent } = await scriptedGateway({ [REFUND]: [problem(403, 'policy_denied', { reasons })] })
  const thrown = await thrownBy(agent.callProvider('stripe', 'create_refund', {}, { callId: 'call_abc' }))
  expect(thrown).toMatchObject({
    code: 'policy_denied',
    detail: 'It is policy_denied.',
    fix: 'Mend it.',
    eventId: EVENT,
    event_id: EVENT,
    callId: 'call_abc',
    status: 403,
    retryable: false,
    reasons,
    message: 'It is policy_denied. Mend it.',
  })
})

test('a problem with members of other types is still read', async () => {
  const odd = {
    status: 403,
    body: { code: 'policy_denied', detail: 7, fix: null, reasons: ['x', { code: 1 }], event_id: {} },
  }
  const { agent } = await scriptedGateway({ [REFUND]: [odd] })
  const thrown = await thrownBy(agent.callProvider('stripe', 'create_refund', {}))
  expect(thrown).toBeInstanceOf(DeniedError)
  expect(thrown).toMatchObject({ eventId: undefined, reasons: [{ code: '', message: '', rule: '' }] })
})
