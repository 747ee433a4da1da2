/** What AuthZEN leaves to a decision point: the mapping, whom a key may ask about, the semantics, the trail, the metadata. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Key, openWorld, type World } from '../gateway/world.ts'
import { answer, ask } from './answer.ts'
import { POLICY } from './policy.ts'

let world: World
let key: Key
beforeAll(async () => {
  world = await openWorld('embedded', { policy: POLICY, config: { public_url: 'https://pdp.example.com/' } })
  key = await world.issue({ agent: { id: 'support-1', role: 'support' } })
})
afterAll(() => world.close())

const evaluate = (body: unknown, credential: string | undefined = key.secret, headers: Record<string, string> = {}) =>
  ask(`${world.gateway.agent_url}/access/v1/evaluation`, credential, body, headers)
const evaluations = (body: unknown) => ask(`${world.gateway.agent_url}/access/v1/evaluations`, key.secret, body)

const subject = { type: 'agent', id: 'support-1' }
const refund = (value: number) => ({
  subject,
  action: { name: 'create_refund', properties: { charge: 'ch_1', amount: value } },
  resource: { type: 'stripe', id: 'refunds' },
  context: { amount: { value, currency: 'usd' } },
})

describe('the mapping', () => {
  const MAPPED = [
    ['an operation by its name', refund(500), true, 'create_refund'],
    [
      'an operation by its action, whatever the type',
      {
        ...refund(500),
        action: { name: 'stripe:refunds:create', properties: { amount: 500 } },
        resource: { type: 'charge', id: 'ch_1' },
      },
      true,
      'create_refund',
    ],
    [
      'a look-up where a list shares its action',
      { subject, action: { name: 'stripe:charges:read' }, resource: { type: 'charge', id: 'ch_1' } },
      true,
      'retrieve_charge',
    ],
    [
      'a service of no catalogue, by its resource',
      {
        subject,
        action: { name: 'push', properties: { branch: 'feature/x' } },
        resource: { type: 'git', id: 'acme/ledger' },
      },
      true,
      'push',
    ],
    [
      'another resource of that service',
      {
        subject,
        action: { name: 'push', properties: { branch: 'feature/x' } },
        resource: { type: 'git', id: 'acme/other' },
      },
      false,
      'push',
    ],
    [
      'an operation that the provider does not have',
      { subject, action: { name: 'steal' }, resource: { type: 'stripe', id: 'x' } },
      false,
      'steal',
    ],
  ] as const

  it.each(MAPPED)('reads %s', async (_name, request, decision, operation) => {
    const { status, body } = await evaluate(request)
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body).toMatchObject({ decision, context: { decision: decision ? 'allow' : 'deny' } })
    const [row, ...more] = await world.rows({ event_id: body.context.event_id })
    expect(more).toEqual([])
    expect(row).toMatchObject({
      kind: 'decision',
      operation,
      agent: 'support-1',
      decision: decision ? 'allow' : 'deny',
      policy_revision: body.context.policy_revision,
      tags: { decision_only: 'true' },
    })
  })

  it('takes the resource’s id for the param that names it', async () => {
    const { body } = await evaluate(MAPPED[1][1])
    const [row] = await world.rows({ event_id: body.context.event_id })
    expect(row).toMatchObject({ params: { charge: 'ch_1', amount: 500 } })
  })

  it('refuses a param that is said in two ways', async () => {
    const twice = { ...refund(500), resource: { type: 'stripe', id: 'refunds', properties: { amount: 1 } } }
    expect(await evaluate(twice)).toMatchObject({ status: 400, body: { code: 'malformed_request' } })
  })

  it('says in its context why, and that a held call is not permitted', async () => {
    const { body } = await evaluate(refund(9000))
    expect(body).toMatchObject({
      decision: false,
      context: { decision: 'hold', reasons: [{ message: 'a large sum', rule: 'tool_decision.hold' }] },
    })
  })
})

describe('whom a vault key may ask about', () => {
  const OTHERS = [
    ['another agent', { subject: { type: 'agent', id: 'support-2' } }],
    ['itself in another role', { subject: { ...subject, properties: { role: 'admin' } } }],
    ['itself in another project', { context: { project: 'other' } }],
    ['itself in another organisation', { context: { organisation: 'other' } }],
  ] as const

  it.each(OTHERS)('is denied for %s, and the row is the key’s own', async (_name, change) => {
    const { status, body } = await evaluate({ ...refund(500), ...change })
    expect(status).toBe(200)
    expect(body).toMatchObject({ decision: false, context: { reasons: [{ code: 'not_the_keys_own' }] } })
    const [row] = await world.rows({ event_id: body.context.event_id })
    expect(row).toMatchObject({ agent: 'support-1', role: 'support', organisation: key.organisation, key_id: key.id })
  })

  it('is anybody on the admin plane, where the row says that the operator asked', async () => {
    const request = {
      ...refund(500),
      subject: { type: 'agent', id: 'support-9', properties: { role: 'support' } },
      context: { organisation: 'acme', amount: { value: 500, currency: 'usd' } },
    }
    const { gateway } = world
    const { body } = await ask(`${gateway.admin_url}/access/v1/evaluation`, gateway.admin_token, request)
    expect(body.decision).toBe(true)
    const [row] = await world.rows({ event_id: body.context.event_id })
    expect(row).toMatchObject({ agent: 'support-9', organisation: 'acme', tags: { asked_by: 'operator' } })
    expect(row).not.toHaveProperty('key_id')
  })

  const STRANGERS = [
    ['nobody', undefined, 'missing_credential'],
    ['an unknown key', 'cs_0000000000000000000000000000000000000000', 'unknown_key'],
    ['a provider’s own key', 'sk_live_0000', 'live_provider_key'],
  ] as const

  it.each(STRANGERS)('is nobody for %s, on either plane', async (_name, credential, code) => {
    const { gateway } = world
    const headers = { 'x-request-id': 'r-1' }
    const asked = await ask(`${gateway.agent_url}/access/v1/evaluation`, credential, refund(500), headers)
    expect(asked).toMatchObject({ status: 401, body: { code } })
    expect(asked.headers.get('x-request-id')).toBe('r-1')
    const [row] = await world.rows({ event_id: asked.body.event_id })
    expect(row).toMatchObject({ decision: 'deny', reason: code })
    expect((await ask(`${gateway.admin_url}/access/v1/evaluation`, credential, refund(500))).status).toBe(401)
  })

  it('keeps the admin token off the agent plane and vault keys off the admin plane', async () => {
    const { gateway } = world
    expect((await evaluate(refund(500), gateway.admin_token)).status).toBe(401)
    expect((await ask(`${gateway.admin_url}/access/v1/evaluation`, key.secret, refund(500))).status).toBe(401)
  })

  it('ends with the key', async () => {
    const short = await world.issue({ agent: { id: 'support-1', role: 'support' } })
    expect((await evaluate(refund(500), short.secret)).body.decision).toBe(true)
    await world.admin('POST', `/admin/vault-keys/${short.id}/revoke`)
    await expect.poll(async () => (await evaluate(refund(500), short.secret)).status, { timeout: 5000 }).toBe(401)
  })
})

describe('the semantics of evaluations', () => {
  const items = [refund(500), refund(9000), refund(500)]
  const SEMANTICS = [
    [undefined, items, [true, false, true]],
    ['execute_all', items, [true, false, true]],
    ['deny_on_first_deny', items, [true, false]],
    ['deny_on_first_deny', [refund(500), {}, refund(500)], [true, false]],
    ['permit_on_first_permit', [refund(9000), refund(500), refund(500)], [false, true]],
    ['permit_on_first_permit', [{}, refund(9000)], [false, false]],
  ] as const

  it.each(SEMANTICS)('%s', async (semantic, asked, decisions) => {
    const options = semantic && { options: { evaluations_semantic: semantic } }
    const { status, body } = await evaluations({ evaluations: asked, ...options })
    expect(status).toBe(200)
    expect(body.evaluations.map(({ decision }: { decision: boolean }) => decision)).toEqual(decisions)
    for (const { context } of body.evaluations) expect(await world.rows({ event_id: context.event_id })).toHaveLength(1)
  })

  const BROKEN = [
    ['a semantic that does not exist', { evaluations: items, options: { evaluations_semantic: 'any' } }],
    ['options that are no object', { evaluations: items, options: [] }],
    ['evaluations that are no list', { evaluations: { 0: refund(500) } }],
  ] as const

  it.each(BROKEN)('refuses %s', async (_name, body) => {
    expect(await evaluations(body)).toMatchObject({ status: 400, body: { code: 'malformed_request' } })
  })

  const ITEMS = [null, 'x', [], { ...refund(500), subject: null, action: 7 }]
  it('answers an item that is no request with false and its error, and the others as ever', async () => {
    const { body } = await evaluations({ subject, evaluations: [...ITEMS, refund(500)] })
    for (const at of ITEMS.keys())
      expect(body.evaluations[at]).toMatchObject({ decision: false, context: { error: { status: 400 } } })
    expect(body.evaluations.at(-1).decision).toBe(true)
  })
})

describe('hostile requests', () => {
  const BODIES = [
    ['a name twice', '{"subject":{"type":"a","id":"x","id":"support-1"}}', 400],
    ['a prototype', '{"__proto__":{"decision":true}}', 400],
    ['a NUL in an id', '{"subject":{"type":"a","id":"x\\u0000"}}', 400],
    ['a list', '[]', 400],
    ['a body of a megabyte', JSON.stringify({ pad: 'x'.repeat(1_000_000) }), 413],
    ['a body of a thousand levels', `{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`, 413],
    [
      'ten thousand names',
      JSON.stringify(Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`n${n}`, 1]))),
      413,
    ],
  ] as const

  it.each(BODIES)('refuses %s', async (_name, body, status) => {
    for (const path of ['evaluation', 'evaluations']) {
      const refused = await answer(`${world.gateway.agent_url}/access/v1/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key.secret}` },
        body,
      })
      expect(refused.status).toBe(status)
      expect(refused.headers.get('content-type')).toBe('application/problem+json')
    }
  })

  const VALUES = [
    ['a negative amount', { amount: { value: -5, currency: 'usd' } }],
    ['an amount with a fraction', { amount: { value: 5.5, currency: 'usd' } }],
    ['a currency that does not exist', { amount: { value: 5, currency: 'xxx' } }],
    ['a run that is no text', { run: 7 }],
    ['a turn beyond any', { turn: 99999999999 }],
    ['an occurrence of none', { occurrence: 0 }],
    ['params that are no object', { params: [] }],
  ] as const

  it.each(VALUES)('refuses %s in the context', async (_name, context) => {
    expect(await evaluate({ ...refund(500), context })).toMatchObject({
      status: 400,
      body: { code: 'malformed_request' },
    })
  })

  it('reserves nothing and reaches no provider, however often it is asked', async () => {
    const capped = await world.issue({ agent: { id: 'support-1', role: 'support' }, daily_cap_usd: 10 })
    const requests = (await world.requests()).length
    for (let time = 0; time < 5; time++) expect((await evaluate(refund(500), capped.secret)).body.decision).toBe(true)
    expect(await world.spend(capped)).toMatchObject([{ spent: 0, reserved: 0 }])
    expect(await world.requests()).toHaveLength(requests)
  })

  it('shows policy the budgets that the call would draw on', async () => {
    const small = await world.issue({ agent: { id: 'support-1', role: 'support' }, daily_cap_usd: 0.5 })
    const { body } = await evaluate(refund(10), small.secret)
    expect(body).toMatchObject({ decision: false, context: { reasons: [{ message: 'the budget is nearly used up' }] } })
  })

  it('joins the row to the caller’s log by the request’s id', async () => {
    const { body } = await evaluate(refund(500), key.secret, { 'x-request-id': 'req-4711' })
    const [row] = await world.rows({ event_id: body.context.event_id })
    expect(row).toMatchObject({ correlation_id: 'req-4711' })
  })
})

describe('the metadata', () => {
  const metadata = async (url: string) => (await answer(`${url}/.well-known/authzen-configuration`, {})).body

  it('names the endpoints at the public URL, and none that is not there', async () => {
    expect(await metadata(world.gateway.agent_url)).toEqual({
      policy_decision_point: 'https://pdp.example.com',
      access_evaluation_endpoint: 'https://pdp.example.com/access/v1/evaluation',
      access_evaluations_endpoint: 'https://pdp.example.com/access/v1/evaluations',
    })
  })

  it('names its own address where it has no public URL, whatever host the request claims', async () => {
    const { admin_url } = world.gateway
    expect((await metadata(admin_url)).policy_decision_point).toBe(admin_url)
    const { port } = new URL(admin_url)
    expect((await metadata(`http://localhost:${port}`)).policy_decision_point).toBe(admin_url)
  })
})
