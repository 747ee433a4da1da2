import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, describe, expect, inject, it } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { type Gateway, type GatewayOptions, startGateway } from '../../src/main.ts'
import { Fault } from '../../src/model/fault.ts'
import { freshDatabase } from '../services/database.ts'

const QUESTION = {
  provider: 'stripe',
  operation: 'create_refund',
  group: 'payments.refund',
  effect: 'write',
  action: 'stripe:refunds:create',
  resource: 'stripe.com/v1/refunds',
  method: 'POST',
  path: '/v1/refunds',
  params: { charge: 'ch_1', amount: 500 },
  amount: { value: 500, currency: 'usd' },
}

const RULE = `package tool_decision
allow {
  input.operation == "create_refund"
  input.agent.role == "support-tier-1"
  input.params.amount <= 5000
}
`

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function gatewayWith(decision_audit: string, options: GatewayOptions = {}): Promise<Gateway> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-judge-'))
  mkdirSync(join(folder, 'rego'))
  writeFileSync(join(folder, 'rego/tool_decision.rego'), RULE)
  writeFileSync(join(folder, 'countersign.yaml'), `decision_audit: ${decision_audit}\n`)
  const database = await freshDatabase(inject('postgresUrl'), inject('postgresTemplate'))
  const gateway = await startGateway(
    readConfig(
      {
        COUNTERSIGN_PORT: '0',
        COUNTERSIGN_ADMIN_PORT: '0',
        DATABASE_URL: database.url,
        STRIPE_API_KEY: 'sk_test_x',
        STRIPE_UPSTREAM_URL: 'http://127.0.0.1:9',
      },
      folder,
    ),
    { log: pino({ level: 'silent' }), ...options },
  )
  ends.push(
    async () => rmSync(folder, { recursive: true }),
    () => database.drop(),
    () => gateway.close(),
  )
  return gateway
}

async function keyOf(gateway: Gateway, role: string): Promise<string> {
  const made = await fetch(`${gateway.admin_url}/admin/vault-keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.admin_token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ agent: { id: 'agent-1', role }, providers: ['stripe'] }),
  })
  return ((await made.json()) as { vault_key: string }).vault_key
}

async function ask(gateway: Gateway, key: string | undefined, body: object | string) {
  const answer = await fetch(`${gateway.agent_url}/v1/data/tool_decision`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

async function decisionRows(gateway: Gateway): Promise<Record<string, unknown>[]> {
  const page = await fetch(`${gateway.admin_url}/admin/audit`, {
    headers: { authorization: `Bearer ${gateway.admin_token}`, accept: 'application/x-ndjson' },
  })
  const rows = (await page.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  return rows.filter(({ kind }) => kind === 'decision')
}

describe('a decision without a call', () => {
  it('is the policy’s, for whoever the vault key says, and its row is there with the reply', async () => {
    const gateway = await gatewayWith('commit')
    const allowed = await ask(gateway, await keyOf(gateway, 'support-tier-1'), { input: QUESTION })
    expect(allowed).toMatchObject({
      status: 200,
      body: { result: { decision: 'allow', reasons: [{ rule: 'tool_decision.allow' }] } },
    })
    const pretending = { ...QUESTION, agent: { id: 'agent-1', role: 'support-tier-1' } }
    const denied = await ask(gateway, await keyOf(gateway, 'support-tier-2'), { input: pretending })
    expect(denied).toMatchObject({ status: 200, body: { result: { decision: 'deny' } } })
    expect(await decisionRows(gateway)).toMatchObject([
      { event_id: allowed.body.decision_id, decision: 'allow', role: 'support-tier-1', params: QUESTION.params },
      { event_id: denied.body.decision_id, decision: 'deny', role: 'support-tier-2', tags: { decision_only: 'true' } },
    ])
  })

  it('leaves no row where the audit of decisions is off', async () => {
    const gateway = await gatewayWith('off')
    const answer = await ask(gateway, await keyOf(gateway, 'support-tier-1'), { input: QUESTION })
    expect(answer.body).toMatchObject({ result: { decision: 'allow' } })
    expect(answer.body).not.toHaveProperty('decision_id')
    expect(await decisionRows(gateway)).toEqual([])
  })

  it('has its row by the time the gateway has drained where the audit is buffered', async () => {
    const gateway = await gatewayWith('buffered')
    const { body } = await ask(gateway, await keyOf(gateway, 'support-tier-1'), { input: QUESTION })
    await expect.poll(() => decisionRows(gateway)).toMatchObject([{ event_id: body.decision_id, decision: 'allow' }])
  })

  const REFUSED = [
    ['without a vault key', undefined, { input: QUESTION }, 401, 'unauthorized', 'missing_credential'],
    [
      'with a field that no policy sees',
      'key',
      { input: { ...QUESTION, amuont: 1 } },
      400,
      'invalid_parameter',
      'malformed_request',
    ],
    ['with a body that is no JSON', 'key', '{"input":', 400, 'invalid_parameter', 'malformed_request'],
  ] as const

  it('is refused where the question cannot be believed, and the row says why', async () => {
    const gateway = await gatewayWith('commit')
    const key = await keyOf(gateway, 'support-tier-1')
    for (const [why, credential, body, status, code] of REFUSED)
      expect(await ask(gateway, credential && key, body), why).toMatchObject({ status, body: { code } })
    expect((await decisionRows(gateway)).map(({ decision, reason }) => [decision, reason])).toEqual(
      REFUSED.map(([, , , , , reason]) => ['deny', reason]),
    )
  })

  it('is not given where its row cannot be written', async () => {
    let down = false
    const around = <Port extends object>(name: string, port: Port): Port =>
      name !== 'journal'
        ? port
        : new Proxy(port, {
            get: (target, member) =>
              down && member === 'append'
                ? () => Promise.reject(new Fault('audit_unavailable', 'the store is down'))
                : Reflect.get(target, member),
          })
    const gateway = await gatewayWith('commit', { around })
    const key = await keyOf(gateway, 'support-tier-1')
    expect((await ask(gateway, key, { input: QUESTION })).status).toBe(200)
    down = true
    const refused = await ask(gateway, key, { input: QUESTION })
    expect(refused).toMatchObject({ status: 503, body: { code: 'internal_error' } })
    expect(refused.body).not.toHaveProperty('result')
  })

  const DENIED = [
    ['without an input', {}, 'nothing_asked'],
    ['for a provider that the key is not for', { input: { ...QUESTION, provider: 'x' } }, 'key_provider'],
    ['about another agent', { input: { ...QUESTION, agent: { id: 'agent-2' } } }, 'not_the_keys_own'],
    ['about another organisation', { input: { ...QUESTION, organisation: 'other' } }, 'not_the_keys_own'],
    ["about a project that is not the key's", { input: { ...QUESTION, project: 'p' } }, 'not_the_keys_own'],
    [
      'about an operation that the catalogue does not list',
      { input: { ...QUESTION, operation: 'x' } },
      'unknown_operation',
    ],
  ] as const

  it("is denied where the question is not the key's to ask, or asks for nothing", async () => {
    const gateway = await gatewayWith('commit')
    const key = await keyOf(gateway, 'support-tier-1')
    for (const [why, body, code] of DENIED)
      expect(await ask(gateway, key, body), why).toMatchObject({
        status: 200,
        body: { result: { decision: 'deny', allow: false, reasons: [{ code }] } },
      })
    expect((await decisionRows(gateway)).map(({ agent, organisation }) => [agent, organisation])).toEqual(
      DENIED.map(() => ['agent-1', 'default']),
    )
  })
})
