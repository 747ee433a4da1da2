/** What an agent may ask of itself, and how a rule opens what was closed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { POLICY } from '../cases/policy.ts'
import { ENGINES, type Key, openWorld, type World } from './world.ts'

const CASHIER = { id: 'till-1', role: 'cashier' }
const NOTHING = 'package tool_decision\n'

describe.each(ENGINES)('on %s', (engine) => {
  let world: World
  beforeAll(async () => {
    world = await openWorld(engine, { policy: POLICY })
  })
  afterAll(() => world?.close())

  const charge = (key: Key | string, call = {}) =>
    world.byName('create_charge', { params: { amount: 100, currency: 'usd', customer: 'cus_123' }, ...call }, { key })

  it('the record of a call tells what became of it', async () => {
    const key = await world.issue({ agent: CASHIER })
    const { body } = await charge(key)
    const record = await world.ask(`/v1/calls/${body.event_id}`, { key })
    expect(record.status).toBe(200)
    expect(record.body).toMatchObject({
      event_id: body.event_id,
      state: 'succeeded',
      decision: 'allow',
      operation: 'create_charge',
      status: 200,
      data: body.data,
      cost: { amount: 100, currency: 'usd' },
    })
  })

  it("the record of a declined card has the provider's error and no cost", async () => {
    const key = await world.issue({ agent: CASHIER })
    const params = { amount: 100, currency: 'usd', customer: 'cus_789' }
    const { body } = await world.byName('create_charge', { params }, { key })
    const record = await world.ask(`/v1/calls/${body.event_id}`, { key })
    expect(record.body).toMatchObject({ state: 'failed', status: 402, error: { error: { code: 'card_declined' } } })
    expect(record.body).not.toHaveProperty('cost')
  })

  it('the record of a denied call has the reasons', async () => {
    const key = await world.issue({ agent: { id: 'reader-1' } })
    const { body } = await charge(key)
    const record = await world.ask(`/v1/calls/${body.event_id}`, { key })
    expect(record.body).toMatchObject({
      state: 'denied',
      decision: 'deny',
      reason: 'policy_denied',
      reasons: body.reasons,
    })
  })

  it('no other agent and no other organisation sees the record of a call', async () => {
    const key = await world.issue({ agent: CASHIER })
    const { body } = await charge(key)
    const stranger = await world.issue({ agent: CASHIER })
    const colleague = await world.issue({ agent: { id: 'till-2' }, organisation: key.organisation })
    for (const other of [stranger, colleague]) {
      const answer = await world.ask(`/v1/calls/${body.event_id}`, { key: other })
      expect(answer.status).toBe(404)
      expect(answer.body).toMatchObject({ code: 'not_found' })
    }
    expect((await world.ask(`/v1/calls/${body.event_id}`)).status).toBe(401)
    expect((await world.ask('/v1/calls/nonsense', { key })).status).toBe(404)
  })

  it('the operations of a key come with their schemas, and a key for another provider has none', async () => {
    const key = await world.issue({ agent: CASHIER })
    const { body } = await world.ask('/v1/operations', { key })
    expect(body.operations.length).toBeGreaterThan(590)
    expect(body.operations.find((one: { operation: string }) => one.operation === 'create_refund')).toMatchObject({
      provider: 'stripe',
      group: 'payments.refund',
      effect: 'write',
      action: 'stripe:refunds:create',
      resource: 'stripe.com/v1/refunds',
      params: { properties: { amount: expect.anything(), charge: expect.anything() } },
    })
    const other = await world.issue({ agent: CASHIER, providers: ['twilio'] })
    expect((await world.ask('/v1/operations', { key: other })).body).toEqual({ operations: [] })
    expect((await world.ask('/v1/operations', { key: 'cs_nonsense' })).status).toBe(401)
  })

  it('the audit trail exports as lines with the fields that other programs look for', async () => {
    const key = await world.issue({ agent: CASHIER, project: 'tills', run: 'export-1' })
    await charge(key)
    const response = await fetch(`${world.gateway.admin_url}/admin/audit?run=export-1&key=${key.id}`, {
      headers: { accept: 'application/x-ndjson', authorization: `Bearer ${world.gateway.admin_token}` },
    })
    const lines = (await response.text()).trimEnd().split('\n')
    const rows = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind !== 'key_created')
    expect(rows).toMatchObject([
      { kind: 'decision', agent: 'till-1', project: 'tills', decision: 'allow', cost: 100, currency: 'usd' },
      { kind: 'outcome', outcome: 'succeeded', http_status: 200, upstream_request_id: expect.stringMatching(/^req_/) },
    ])
    expect(Object.keys(rows[0]).slice(0, 11)).toEqual([
      ...['ts', 'agent', 'project', 'action', 'resource', 'decision', 'reason', 'http_status', 'grant_id'],
      ...['approved_by', 'expires'],
    ])
    expect(rows[0]).toMatchObject({ action: 'stripe:charges:create', resource: 'stripe.com/v1/charges' })
  })

  it('a refund is denied until a rule allows it, and again once the rule is gone, with no restart', async () => {
    const key = await world.issue({ agent: { id: 'desk-1', role: 'support-tier-1' } })
    await world.plant({ charges: [{ id: `ch_${key.id}`, amount: 9000, currency: 'usd', customer: 'cus_123' }] })
    const refund = (amount: number) =>
      world.byName('create_refund', { params: { charge: `ch_${key.id}`, amount } }, { key })
    const rule = POLICY['tool_decision.rego']
    try {
      expect((await world.reloadPolicy({ 'tool_decision.rego': NOTHING })).body).toMatchObject({ changed: true })
      expect((await refund(5000)).body).toMatchObject({
        code: 'policy_denied',
        fix: expect.stringContaining('allow rule'),
      })
      expect(
        (
          await world.reloadPolicy({
            'tool_decision.rego': rule.replace('allow {', 'allow if {').replace('\n\n', '\n\nimport rego.v1\n\n'),
          })
        ).status,
      ).toBe(200)
      expect((await refund(5001)).status).toBe(403)
      expect((await refund(5000)).status).toBe(200)
      await world.reloadPolicy({ 'tool_decision.rego': NOTHING })
      expect((await refund(100)).status).toBe(403)
    } finally {
      expect((await world.reloadPolicy({ 'tool_decision.rego': rule })).status).toBe(200)
    }
    expect((await refund(100)).status).toBe(200)
  })

  it('a revoked run stops all its keys', async () => {
    const organisation = world.newOrganisation()
    const keys = await Promise.all(
      ['a', 'b'].map((id) => world.issue({ organisation, agent: { id, role: 'cashier' }, run: `run-${world.name}` })),
    )
    for (const key of keys) expect((await charge(key)).status).toBe(200)
    const { body } = await world.admin('POST', '/admin/vault-keys/revoke', { run: `run-${world.name}` })
    expect(body.revoked.sort()).toEqual(keys.map(({ id }) => id).sort())
    await new Promise((passed) => setTimeout(passed, 1000))
    for (const key of keys) expect((await charge(key)).body).toMatchObject({ code: 'revoked_key' })
  })

  it('a rotated key works beside its successor until the overlap is over', async () => {
    const key = await world.issue({ agent: CASHIER })
    const { body, status } = await world.admin('POST', `/admin/vault-keys/${key.id}/rotate`, { overlap: '1s' })
    expect(status).toBe(201)
    expect((await charge(body.vault_key, { occurrence: 2 })).status).toBe(200)
    expect((await charge(key)).status).toBe(200)
    await new Promise((passed) => setTimeout(passed, 1600))
    expect((await charge(key)).body).toMatchObject({ code: 'expired_key' })
    expect((await charge(body.vault_key)).status).toBe(200)
  })
})
