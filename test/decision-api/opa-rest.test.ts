/** OPA's REST API as it is on the wire, for whoever speaks it without the package. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Key, openWorld, type World } from '../gateway/world.ts'
import { answer, ask } from './answer.ts'
import { POLICY, REFUND } from './policy.ts'

let world: World
let key: Key
beforeAll(async () => {
  world = await openWorld('embedded', { policy: POLICY })
  key = await world.issue({ agent: { id: 'support-1', role: 'support' }, run: 'conv-1' })
})
afterAll(() => world.close())

const post = (path: string, body: unknown) => ask(`${world.gateway.agent_url}${path}`, key.secret, body)
const get = (path: string, credential = key.secret) =>
  answer(`${world.gateway.agent_url}${path}`, { headers: { authorization: `Bearer ${credential}` } })

describe('the documents', () => {
  const PATHS = [
    ['/v1/data/tool_decision/allow', true],
    ['/v1/data/tool_decision/allow/', true],
    ['/v1/data/tool_decision/deny', false],
    ['/v1/data/tool_decision/hold', false],
    ['/v1/data/tool_decision/decision', 'allow'],
    ['/v1/data/tool_decision/reasons/0/rule', 'tool_decision.allow'],
    ['/v1/data/countersign/decision/decision', 'allow'],
    ['/v1/data/tool_decision/constructor', undefined],
    ['/v1/data/tool_decision/allow/more', undefined],
    ['/v1/data/tool_decision/grant_id', undefined],
  ] as const

  it.each(PATHS)('%s', async (path, result) => {
    const { status, body } = await post(path, { input: REFUND })
    expect(status).toBe(200)
    expect(body).toEqual({ decision_id: expect.any(String), ...(result !== undefined && { result }) })
  })

  it.each(['/v1/data/other', '/v1/data/system/main', '/v1/data/other/package'])(
    '%s is undefined, and nothing is judged',
    async (path) => {
      const before = (await world.rows({ agent: 'support-1' })).length
      expect(await post(path, { input: REFUND })).toMatchObject({ status: 200, body: {} })
      expect((await post(path, { input: REFUND })).body).toEqual({})
      expect(await world.rows({ agent: 'support-1' })).toHaveLength(before)
    },
  )

  it('of both packages are under /v1/data', async () => {
    expect((await post('/v1/data', { input: REFUND })).body.result).toMatchObject({
      tool_decision: { allow: true },
      countersign: { decision: { decision: 'allow' } },
    })
  })

  it('come by GET as well, with the input in the query', async () => {
    const input = encodeURIComponent(JSON.stringify(REFUND))
    expect((await get(`/v1/data/tool_decision/allow?input=${input}`)).body.result).toBe(true)
    expect((await get('/v1/data/tool_decision/allow')).body.result).toBe(false)
    expect(await get('/v1/data/tool_decision/allow?input=%7B')).toMatchObject({
      status: 400,
      body: { code: 'invalid_parameter' },
    })
  })

  it('say where the input is missing', async () => {
    const { body } = await post('/v1/data/tool_decision', {})
    expect(body).toMatchObject({
      result: { decision: 'deny', reasons: [{ code: 'nothing_asked' }] },
      warning: { code: 'api_usage_warning' },
    })
  })

  it('carry what is asked for: metrics, provenance, an explanation, line breaks', async () => {
    const response = await fetch(
      `${world.gateway.agent_url}/v1/data/tool_decision?metrics&provenance=true&explain=full&pretty=true`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${key.secret}` },
        body: JSON.stringify({ input: REFUND }),
      },
    )
    const text = await response.text()
    expect(text).toMatch(/^\{\n {2}"decision_id"/)
    const { result, metrics, provenance, explanation } = JSON.parse(text)
    expect(Object.keys(metrics)).toEqual(['timer_rego_query_eval_ns', 'timer_server_handler_ns'])
    expect(provenance).toEqual({ bundles: { tool_decision: { revision: result.policy_revision } } })
    expect(explanation.at(-1)).toBe('countersign.decision = allow')
    const plain = await post('/v1/data/tool_decision?metrics=false&explain=off', { input: REFUND })
    expect(Object.keys(plain.body)).toEqual(['decision_id', 'result'])
  })
})

describe('the default decision', () => {
  it('is a yes or no', async () => {
    expect((await post('/', REFUND)).body).toBe(true)
    expect((await post('/', { ...REFUND, operation: 'create_charge' })).body).toBe(false)
  })
})

describe('a batch', () => {
  it('lays each input over what is common', async () => {
    const { status, body } = await post('/v1/batch/data/tool_decision/allow', {
      common_input: REFUND,
      inputs: { small: {}, large: { amount: { value: 9000, currency: 'usd' } } },
    })
    expect(status).toBe(200)
    expect(body.responses).toMatchObject({ small: { result: true }, large: { result: false } })
    for (const { decision_id } of Object.values(body.responses) as { decision_id: string }[])
      expect(await world.rows({ event_id: decision_id })).toHaveLength(1)
  })

  it('is 207 where some inputs cannot be read, and 500 where none can', async () => {
    const some = await post('/v1/batch/data/tool_decision/allow', { inputs: { good: REFUND, bad: { turn: -1 } } })
    expect(some).toMatchObject({
      status: 207,
      body: {
        responses: {
          good: { result: true, http_status_code: '200' },
          bad: { code: 'invalid_parameter', http_status_code: '500' },
        },
      },
    })
    expect((await post('/v1/batch/data/tool_decision/allow', { inputs: { bad: 7 } })).status).toBe(500)
  })

  it('of nothing is nothing, and without inputs refused', async () => {
    expect(await post('/v1/batch/data/tool_decision', { inputs: {} })).toMatchObject({
      status: 200,
      body: { responses: {} },
    })
    expect(await post('/v1/batch/data/tool_decision', { input: REFUND })).toMatchObject({
      status: 400,
      body: { code: 'invalid_parameter' },
    })
  })
})

describe('who acts', () => {
  it('is whom the key speaks for, whatever key the input claims', async () => {
    const { body } = await post('/v1/data/tool_decision', { input: { ...REFUND, key: { id: 'vk_other' } } })
    expect(body.result.decision).toBe('allow')
    const [row] = await world.rows({ event_id: body.decision_id })
    expect(row).toMatchObject({ key_id: key.id, organisation: key.organisation, run: 'conv-1' })
  })

  it.each([
    ['another agent', { agent: { id: 'x' } }],
    ['another role', { agent: { id: 'support-1', role: 'admin' } }],
    ['another run', { run: 'conv-2' }],
    ['a project that the key has not', { project: 'p' }],
  ])('is not %s', async (_name, claim) => {
    const { body } = await post('/v1/data/tool_decision', { input: { ...REFUND, ...claim } })
    expect(body.result).toMatchObject({ allow: false, reasons: [{ code: 'not_the_keys_own' }] })
  })

  it('is anybody for the operator, on the admin plane', async () => {
    const { gateway } = world
    const input = { ...REFUND, agent: { id: 'any', role: 'support' }, organisation: 'acme' }
    const { body } = await ask(`${gateway.admin_url}/v1/data/tool_decision/allow`, gateway.admin_token, { input })
    expect(body.result).toBe(true)
    expect((await ask(`${gateway.admin_url}/v1/data/tool_decision/allow`, key.secret, { input })).status).toBe(401)
  })

  it('cannot say what an operation of the catalogue is', async () => {
    const lie = { ...REFUND, operation: 'create_charge', group: 'read', effect: 'read' }
    const { body } = await post('/v1/data/tool_decision', { input: lie })
    expect(body.result.decision).toBe('deny')
    const [row] = await world.rows({ event_id: body.decision_id })
    expect(row).toMatchObject({ action: 'stripe:charges:create', resource: 'stripe.com/v1/charges' })
  })

  it('has the amount read from the params where the question has none', async () => {
    const input = { provider: 'stripe', operation: 'create_charge', params: { amount: 700, currency: 'EUR' } }
    const { body } = await post('/v1/data/tool_decision', { input })
    const [row] = await world.rows({ event_id: body.decision_id })
    expect(row).toMatchObject({ cost: 700, currency: 'eur' })
  })
})

describe('hostile requests', () => {
  const BODIES = [
    ['a body that is no JSON', '{"input":', 400, 'invalid_parameter'],
    ['a list', '[]', 400, 'invalid_parameter'],
    ['an input that is no object', '{"input":"x"}', 400, 'invalid_parameter'],
    ['a name twice', '{"input":{"provider":"a","provider":"b"}}', 400, 'invalid_parameter'],
    ['a prototype', '{"input":{"__proto__":{}}}', 400, 'invalid_parameter'],
    ['a name of a kilobyte', JSON.stringify({ input: { operation: 'x'.repeat(1024) } }), 400, 'invalid_parameter'],
    ['a megabyte', JSON.stringify({ input: 'x'.repeat(1_000_000) }), 413, 'request_too_large'],
  ] as const

  it.each(BODIES)('refuses %s with OPA’s error', async (_name, body, status, code) => {
    const refused = await answer(`${world.gateway.agent_url}/v1/data/tool_decision`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key.secret}` },
      body,
    })
    expect(refused).toMatchObject({ status, body: { code, message: expect.any(String) } })
    const [row] = await world.rows({ event_id: refused.body.decision_id })
    expect(row).toMatchObject({ kind: 'decision', decision: 'deny', tags: { decision_only: 'true' } })
  })

  it.each(['/v1/data/tool_decision', '/v1/data/other', '/v1/batch/data/tool_decision', '/'])(
    '%s wants a vault key',
    async (path) => {
      expect(await ask(`${world.gateway.agent_url}${path}`, undefined, { inputs: {} })).toMatchObject({
        status: 401,
        body: { code: 'unauthorized' },
      })
    },
  )

  it('keeps what OPA has and a gateway has not from becoming a call to a provider', async () => {
    expect(await post('/v1/compile', {})).toMatchObject({ status: 404, body: { code: 'resource_not_found' } })
    expect(await world.requests()).toEqual([])
  })
})
