/** A policy that cannot be taken, and secrets that must not come out again. */
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { POLICY } from '../cases/policy.ts'
import { type Key, openWorld, UPSTREAM_SECRET, type World } from '../gateway/world.ts'

const lines: string[] = []
const log = pino({ level: 'trace' }, new Writable({ write: (chunk, _, done) => done(void lines.push(String(chunk))) }))

let world: World
beforeAll(async () => {
  world = await openWorld('embedded', { policy: POLICY, log })
})
afterAll(() => world?.close())

const CASHIER = { id: 'till-1', role: 'cashier' }
const RULE = POLICY['tool_decision.rego']

describe('a policy is refused at reload, and the one in force serves on', () => {
  const BROKEN = [
    ['that does not parse', 'package tool_decision\n\nallow {\n  input.provider ==\n}\n', /tool_decision\.rego:\d+/],
    [
      'that names what is not there',
      'package tool_decision\n\nallow { undefined_function(input) }\n',
      /undefined_function/,
    ],
    [
      'that needs a builtin that cannot run',
      'package tool_decision\n\nallow { http.send({"method": "get", "url": "http://127.0.0.1"}).status_code == 200 }\n',
      /http\.send/,
    ],
    [
      'that asks for an obligation which nobody keeps',
      'package tool_decision\n\nallow { true }\n\nobligations = {"forgive": true} { true }\n',
      /forgive/,
    ],
    ['that calls itself', 'package tool_decision\n\nallow { not deny }\n\ndeny { not allow }\n', /recursi/],
  ] as const

  it.each(BROKEN)('one %s', async (_, text, says) => {
    const key = await world.issue({ agent: { id: 'desk-1', role: 'support-tier-1' } })
    const refund = (occurrence: number) =>
      world.byName('create_refund', { occurrence, params: { charge: `ch_${key.id}`, amount: 100 } }, { key })
    await world.plant({ charges: [{ id: `ch_${key.id}`, amount: 9000, currency: 'usd', customer: 'cus_123' }] })
    const before = (await (await fetch(`${world.gateway.admin_url}/readyz`)).json()) as { policy_revision: string }
    try {
      const answer = await world.reloadPolicy({ 'tool_decision.rego': text, 'roles.rego': 'package tool_decision\n' })
      expect(answer.status, JSON.stringify(answer.body)).toBe(422)
      expect(answer.body).toMatchObject({ code: 'policy_refused', detail: expect.stringMatching(says) })
      const after = (await (await fetch(`${world.gateway.admin_url}/readyz`)).json()) as { policy_revision: string }
      expect(after.policy_revision).toBe(before.policy_revision)
      expect((await refund(1)).status).toBe(200)
    } finally {
      expect((await world.reloadPolicy(POLICY)).status).toBe(200)
    }
    expect((await refund(2)).status).toBe(200)
  })

  it('a gateway does not start on a policy that cannot be taken', async () => {
    const opening = openWorld('embedded', { policy: { 'tool_decision.rego': RULE.replace('<= 5000', '<=') } })
    await expect(opening).rejects.toThrow(/tool_decision\.rego:\d+/)
  })
})

describe('a configuration that cannot be taken', () => {
  it('is refused with every fault at once, each with its fix', () => {
    const environment = {
      COUNTERSIGN_PORT: 'eighty',
      COUNTERSIGN_SANDBOX: 'yes',
      DATABASE_URL: 'mysql://x',
      COUNTERSIGN_CONFIG: 'nowhere.yaml',
    }
    expect(() => readConfig(environment, '/tmp')).toThrow(
      /nowhere\.yaml[\s\S]*COUNTERSIGN_SANDBOX[\s\S]*DATABASE_URL[\s\S]*COUNTERSIGN_PORT/,
    )
  })
})

describe('a planted secret', () => {
  const SECRETS = {
    live_key: 'sk_live_51Planted0123456789abcdef',
    signing_secret: 'whsec_Planted0123456789abcdefXYZ',
    client_secret: 'pi_3Planted_secret_Planted0123456789',
    card_number: '4242424242424242',
  } as const
  let key: Key
  beforeAll(async () => {
    key = await world.issue({ agent: CASHIER, run: 'secrets' })
  })

  const appearIn = (text: string) =>
    Object.entries({ ...SECRETS, vault_key: key.secret, upstream: UPSTREAM_SECRET, admin: world.gateway.admin_token })
      .filter(([, secret]) => text.includes(secret))
      .map(([name]) => name)

  it.each(Object.entries(SECRETS))(
    '%s in a param or a header stands in no audit row, no refusal and no log line',
    async (_, secret) => {
      const calls = [
        await world.byName('create_customer', { params: { name: 'A', description: `note ${secret}` } }, { key }),
        await world.byName('create_customer', { params: { name: 'B', metadata: { note: secret } } }, { key }),
        await world.byName('create_customer', { params: { name: { secret } } }, { key }),
        await world.byName('create_customer', { params: { name: 'C', [secret]: '1' } }, { key }),
        await world.byName('create_charge', { params: { amount: secret, currency: 'usd' } }, { key }),
        await world.byName('create_charge', { params: { amount: 1, currency: secret } }, { key }),
        await world.byName('create_refund', { params: { charge: secret } }, { key }),
        await world.byName(`create_${secret}`, { params: {} }, { key }),
        await world.dropIn('POST', '/v1/customers', {
          key,
          form: `name=D&description=${secret}`,
          headers: { cookie: secret, 'x-secret': secret },
        }),
        await world.dropIn('GET', `/v1/customers/${secret}`, { key }),
        await world.dropIn('GET', `/v1/nothing/${secret}`, { key }),
        await world.dropIn('GET', `/v1/customers?${secret}=1`, { key }),
        await world.byName('list_customers', { params: {} }, { key: secret }),
      ]
      // What the provider itself answers goes to the agent as it is.
      for (const [at, { headers, body }] of calls.entries())
        if (headers.get('countersign-decision') === 'deny')
          expect(appearIn(JSON.stringify(body)), `refusal ${at}: ${JSON.stringify(body)}`).toEqual([])
      for (const [at, { headers }] of calls.entries()) {
        const rows = await world.rows({ event_id: headers.get('countersign-event-id')! })
        expect(rows.length).toBeGreaterThan(0)
        expect(appearIn(JSON.stringify(rows)), `rows of call ${at}: ${JSON.stringify(rows)}`).toEqual([])
      }
    },
  )

  it('in what the provider answers, it stands in no audit row, though the agent gets the answer', async () => {
    const params = { amount: 100, currency: 'usd', customer: 'cus_123' }
    const { body } = await world.byName('create_payment_intent', { params }, { key })
    const secret: string = body.data.client_secret
    expect(secret).toContain('_secret_')
    const rows = await world.rows({ event_id: body.event_id })
    expect(rows.map(({ kind }) => kind)).toEqual(['decision', 'outcome'])
    expect(JSON.stringify(rows)).not.toContain(secret)
    expect(lines.join('')).not.toContain(secret)
  })

  it('stands in no line of the log and no metric', async () => {
    await world.misbehave({ match: { method: 'POST', path: '/v1/customers' }, do: 'reset_after_effect' })
    const note = `once more ${SECRETS.live_key}`
    expect((await world.byName('create_customer', { params: { description: note } }, { key })).status).toBe(200)
    expect(lines.length).toBeGreaterThan(1)
    expect(appearIn(lines.join(''))).toEqual([])
    expect(appearIn(await (await fetch(`${world.gateway.admin_url}/metrics`)).text())).toEqual([])
    expect(appearIn(JSON.stringify((await world.admin('GET', '/admin/vault-keys')).body))).toEqual([])
  })
})
