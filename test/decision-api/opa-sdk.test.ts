/** The package `@open-policy-agent/opa`, unmodified: each of its calls. */
import { OPAClient, type ToInput } from '@open-policy-agent/opa'
import { HTTPClient } from '@open-policy-agent/opa/lib/http'
import { OpaApiClient } from '@open-policy-agent/opa/sdk/index'
import { Explain } from '@open-policy-agent/opa/sdk/models/components'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Key, openWorld, type World } from '../gateway/world.ts'
import { POLICY, REFUND } from './policy.ts'

let world: World
let key: Key
let opa: OPAClient
let low: OpaApiClient
beforeAll(async () => {
  world = await openWorld('embedded', { policy: POLICY })
  key = await world.issue({ agent: { id: 'support-1', role: 'support' } })
  opa = new OPAClient(world.gateway.agent_url, { headers: { authorization: `Bearer ${key.secret}` } })
  low = new OpaApiClient({ serverURL: world.gateway.agent_url, bearerAuth: key.secret, httpClient: new HTTPClient() })
})
afterAll(() => world.close())

const LARGE = { ...REFUND, amount: { value: 9000, currency: 'usd' } }

class Refund implements ToInput {
  toInput() {
    return REFUND
  }
}

describe('OPAClient', () => {
  it('evaluate gives a yes or no', async () => {
    expect(await opa.evaluate('tool_decision/allow', REFUND)).toBe(true)
    expect(await opa.evaluate('tool_decision/allow', LARGE)).toBe(false)
    expect(await opa.evaluate('tool_decision/hold', LARGE)).toBe(true)
    expect(await opa.evaluate('tool_decision/deny', { ...REFUND, operation: 'create_charge' })).toBe(true)
  })

  it('evaluate gives the whole decision, and converts it', async () => {
    const decision = await opa.evaluate<object, { decision: string }>('tool_decision', REFUND)
    expect(decision).toMatchObject({ decision: 'allow', allow: true, reasons: [{ rule: 'tool_decision.allow' }] })
    expect(await opa.evaluate('countersign/decision', REFUND)).toMatchObject({ decision: 'allow' })
    const verdict = await opa.evaluate<object, string>('tool_decision', new Refund(), {
      fromResult: (result) => (result as { decision: string }).decision,
    })
    expect(verdict).toBe('allow')
  })

  it('evaluate without an input is denied, and of a path that nothing defines undefined', async () => {
    expect(await opa.evaluate('tool_decision/allow')).toBe(false)
    expect(await opa.evaluate('other/package', REFUND)).toBeUndefined()
    expect(await opa.evaluate('tool_decision/grant_id', REFUND)).toBeUndefined()
  })

  it('evaluateDefault resolves to true where the call is allowed, and rejects where it is not', async () => {
    expect(await opa.evaluateDefault(REFUND)).toBe(true)
    // The package itself takes a `false` for no answer at all: it fails closed.
    await expect(opa.evaluateDefault(LARGE)).rejects.toBe('no result in API response')
    await expect(opa.evaluateDefault()).rejects.toBe('no result in API response')
  })

  it('evaluateBatch answers each input by its name', async () => {
    expect(await opa.evaluateBatch('tool_decision/allow', { small: REFUND, large: LARGE })).toEqual({
      small: true,
      large: false,
    })
  })

  it('evaluateBatch tells an input that cannot be read from the others', async () => {
    const inputs = { small: REFUND, odd: { ...REFUND, amuont: 1 } }
    expect(await opa.evaluateBatch('tool_decision/allow', inputs)).toEqual({
      small: true,
      odd: expect.objectContaining({ code: 'invalid_parameter', httpStatusCode: '500' }),
    })
    await expect(opa.evaluateBatch('tool_decision/allow', inputs, { rejectMixed: true })).rejects.toMatchObject({
      code: 'invalid_parameter',
    })
    await expect(opa.evaluateBatch('tool_decision/allow', { odd: inputs.odd })).rejects.toMatchObject({
      name: 'BatchServerError',
      responses: { odd: { code: 'invalid_parameter' } },
    })
  })

  it('evaluateBatch needs no fallback, and may ask for one', async () => {
    expect(await opa.evaluateBatch('tool_decision/allow', { one: REFUND }, { fallback: true })).toEqual({ one: true })
  })

  it('getFilters and getMultipleFilters are refused in a form that the package reads', async () => {
    const refused = { statusCode: 404 }
    await expect(opa.getFilters('tool_decision/allow', REFUND, { target: 'postgresql' })).rejects.toMatchObject({
      httpMeta: { response: { status: refused.statusCode } },
    })
    await expect(
      opa.getMultipleFilters('tool_decision/allow', REFUND, { targets: ['postgresql', 'mysql'] }),
    ).rejects.toMatchObject({ httpMeta: { response: { status: refused.statusCode } } })
  })

  it('is an SDKError where the key is none', async () => {
    const stranger = new OPAClient(world.gateway.agent_url, { headers: { authorization: 'Bearer cs_none' } })
    await expect(stranger.evaluate('tool_decision/allow', REFUND)).rejects.toMatchObject({
      name: 'SDKError',
      httpMeta: { response: { status: 401 } },
    })
  })

  it('is a ClientError where the input cannot be read', async () => {
    await expect(opa.evaluate('tool_decision/allow', { ...REFUND, turn: 'seven' })).rejects.toMatchObject({
      name: 'ClientError',
      code: 'invalid_parameter',
      message: expect.stringContaining('turn'),
    })
  })
})

describe('OpaApiClient', () => {
  it('gives decision id, metrics and provenance where they are asked for', async () => {
    const { successfulPolicyResponse } = await low.executePolicyWithInput({
      path: 'tool_decision',
      requestBody: { input: REFUND },
      ...{ metrics: true, provenance: true, pretty: true, instrument: true, strictBuiltinErrors: true },
      explain: Explain.Full,
    })
    const { decisionId, metrics, provenance, result } = successfulPolicyResponse!
    expect(metrics).toMatchObject({
      timer_rego_query_eval_ns: expect.any(Number),
      timer_server_handler_ns: expect.any(Number),
    })
    expect(provenance?.bundles).toEqual({
      tool_decision: { revision: (result as unknown as { policy_revision: string }).policy_revision },
    })
    expect(await world.rows({ event_id: decisionId! })).toMatchObject([{ kind: 'decision', decision: 'allow' }])
  })

  it('reads a policy without an input, and the default decision', async () => {
    const { successfulPolicyResponse } = await low.executePolicy({ path: 'tool_decision/decision' })
    expect(successfulPolicyResponse?.result).toBe('deny')
    expect((await low.executeDefaultPolicyWithInput(REFUND)).result).toBe(true)
  })

  it('batches', async () => {
    const { batchSuccessfulPolicyEvaluation: batch } = await low.executeBatchPolicyWithInput({
      path: 'tool_decision/decision',
      requestBody: { inputs: { a: REFUND, b: LARGE } },
    })
    expect(batch?.responses).toMatchObject({ a: { result: 'allow' }, b: { result: 'hold' } })
  })

  it('is healthy, with bundles and plugins', async () => {
    expect((await low.health()).healthyServer).toEqual({})
    expect((await low.health(true, true, ['status'])).healthyServer).toEqual({})
  })
})
