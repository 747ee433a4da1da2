/** What a prompt-injected agent, a confused client or an attacker sends: refused, written down, nothing reserved, nothing sent. */

import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { checkInvariants, now, type Since } from '../gateway/invariants.ts'
import { type Answered, type Key, openWorld, UPSTREAM_SECRET, type World } from '../gateway/world.ts'
import { ACCOUNTS, AMOUNTS, EXPANSIONS, type HostileRequest, PATHS, ROUTES, SHAPES, SIZES, TEXTS } from './requests.ts'

/** The starter policy, and an agent who may do everything that it does not deny: what is refused is not for want of a rule. */
export const STARTER = readFileSync(new URL('../../rego/tool_decision.rego', import.meta.url), 'utf8')
export const CASHIER_MAY = `package tool_decision

import rego.v1

allow if input.agent.role == "cashier"
`
const POLICY = { 'tool_decision.rego': STARTER, 'cashier.rego': CASHIER_MAY }
const CASHIER = { id: 'till-1', role: 'cashier' }

/** The bytes of one request on a connection of its own. */
function bytesOf(request: Partial<HostileRequest>, key: string): Buffer {
  const { method = 'GET', target = '/', headers = {}, body } = request
  const payload = body === undefined ? undefined : Buffer.from(body)
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...(headers.host === undefined ? ['host: gateway.example'] : []),
    ...(headers.authorization === undefined ? [`authorization: Bearer ${key}`] : []),
    'connection: close',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(payload === undefined ? [] : [`content-length: ${payload.length}`]),
  ]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), ...(payload ? [payload] : [])])
}

function read(answer: string): { status: number; event: string | undefined; text: string; code: string | undefined } {
  const [head = '', text = ''] = answer.split('\r\n\r\n', 2)
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0)
  const event = /^countersign-event-id: (\S+)$/im.exec(head)?.[1]
  return { status, event, text, code: /"code":"([a-z_]+)"/.exec(text)?.[1] }
}

describe('one gateway, one agent who may do anything that is well-formed', () => {
  let world: World
  let key: Key
  let since: Since
  beforeAll(async () => {
    world = await openWorld('embedded', {
      policy: POLICY,
      config: { rates: { 'jpy/usd': 0.01, 'bhd/usd': 2.5 }, upstreams: { stripe: { deadline: '3s' } } },
    })
    key = await world.issue({
      agent: CASHIER,
      budgets: [{ scope: 'key', window: 'day', cap: 10_000_000, currency: 'usd' }],
    })
  })
  afterAll(() => world?.close())
  beforeEach(async () => {
    since = await now(world)
  })
  afterEach(async () => {
    await checkInvariants(world, since)
  })

  const spentBy = async () => (await world.spend(key)).map(({ spent, reserved }) => [spent, reserved])

  async function expectRefusal(request: HostileRequest): Promise<void> {
    const spent = await spentBy()
    const answer = read(await world.raw(bytesOf(request, key.secret)))
    expect(answer.status, answer.text).toBe(request.status)
    if (request.code === 'refused') expect(['invalid_params', 'malformed_request']).toContain(answer.code)
    else expect(answer.code, answer.text).toBe(request.code)
    const [row, ...more] = await world.rows({ event_id: answer.event! })
    expect(row).toMatchObject({ kind: 'decision', decision: 'deny', reason: answer.code, key_id: key.id })
    expect(more).toEqual([])
    expect(await world.requests(since.requests)).toEqual([])
    expect(await spentBy()).toEqual(spent)
  }

  const TABLES = { PATHS, ROUTES, SHAPES, AMOUNTS, TEXTS, ACCOUNTS, EXPANSIONS, SIZES }
  describe.each(Object.entries(TABLES))('%s', (_, rows) => {
    it.each(rows)('%s is refused', (_sentence, request) => expectRefusal(request))
  })

  it('an oversize body in chunks, which nobody announced, is refused', async () => {
    const chunk = `10000\r\n${'a'.repeat(0x10000)}\r\n`
    const head = `POST /v1/charges HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key.secret}\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\ntransfer-encoding: chunked\r\n\r\n`
    const answer = read(await world.raw(`${head}${chunk.repeat(8)}0\r\n\r\n`))
    expect(answer).toMatchObject({ status: 413, code: 'request_too_large' })
    expect(await world.requests(since.requests)).toEqual([])
  })

  it('a gzip bomb is not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, 'a'))
    const type = { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'gzip' }
    await expectRefusal({
      method: 'POST',
      target: '/v1/charges',
      headers: type,
      body: bomb,
      status: 400,
      code: 'malformed_request',
    })
  })

  it('metadata in brackets passes', async () => {
    const answer = await world.dropIn('POST', '/v1/customers', { key, form: 'name=A&metadata[a]=b' })
    expect(answer.body).toMatchObject({ object: 'customer', metadata: { a: 'b' } })
  })

  it('the amount 5000 in a form passes, as the number', async () => {
    const answer = await world.dropIn('POST', '/v1/charges', { key, form: 'amount=5000&currency=usd&customer=cus_123' })
    expect(answer.body).toMatchObject({ amount: 5000 })
  })

  it('currencies count by their own exponents', async () => {
    const [[before = 0] = []] = await spentBy()
    for (const [amount, currency] of [
      [1000, 'jpy'],
      [1000, 'bhd'],
    ] as const) {
      const answer = await world.byName('create_charge', { params: { amount, currency, customer: 'cus_123' } }, { key })
      expect(answer.body.cost).toEqual({ amount, currency })
    }
    // 1000 yen are $10.00; 1000 fils are one dinar, $2.50.
    expect(await spentBy()).toEqual([[before + 1000 + 250, 0]])
  })

  it('USD is mended to usd before policy sees it', async () => {
    const answer = await world.dropIn('POST', '/v1/charges', { key, form: 'amount=77&currency=USD&customer=cus_123' })
    expect(answer.body).toMatchObject({ amount: 77, currency: 'usd' })
    const rows = await world.rows({ event_id: answer.headers.get('countersign-event-id')! })
    expect(rows[0]).toMatchObject({ params: { currency: 'usd' }, currency: 'usd' })
  })

  it('two spellings of one name in Unicode are one', async () => {
    const answers: Answered[] = []
    for (const name of ['Zoë', 'Zoe\u0308'])
      answers.push(await world.byName('create_customer', { params: { name, email: 'zoe@example.com' } }, { key }))
    expect(answers.map(({ body }) => body.data.name)).toEqual(['Zoë', 'Zoë'])
    expect(answers[1]!.body).toMatchObject({ replayed: true, event_id: answers[0]!.body.event_id })
  })

  it('a path of a connected account is denied to an agent whom no rule names', async () => {
    const other = await world.issue({ agent: { id: 'agent-1' } })
    const answer = await world.dropIn('POST', '/v1/accounts/acct_123', { key: other, form: 'email=a@example.com' })
    expect(answer.status).toBe(403)
    expect(answer.body.error).toMatchObject({ code: 'policy_denied' })
    expect(await world.requests(since.requests)).toEqual([])
  })

  it('one call id in two organisations names two calls, and no answer leaks', async () => {
    const [mine, theirs] = [
      await world.issue({ agent: CASHIER, run: 'r' }),
      await world.issue({ agent: CASHIER, run: 'r' }),
    ]
    const call = (name: string) => ({ call_id: 'call-1', params: { name } })
    const first = await world.byName('create_customer', call('Mine'), { key: mine })
    const second = await world.byName('create_customer', call('Theirs'), { key: theirs })
    const third = await world.byName('create_customer', call('Mine'), { key: theirs })
    expect(second.body).toMatchObject({ replayed: false, data: { name: 'Theirs' } })
    expect(second.body.event_id).not.toBe(first.body.event_id)
    expect(third.body).toMatchObject({ code: 'call_id_conflict' })
    expect(JSON.stringify(third.body)).not.toContain(first.body.event_id)
  })

  describe('SMUGGLING', () => {
    const head = (): string => `POST /v1/charges HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key.secret}\r\n`
    const inner = (): string => `GET /v1/balance HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key.secret}\r\n\r\n`
    const rows: readonly (readonly [string, () => string])[] = [
      [
        'Content-Length with Transfer-Encoding',
        (): string => `${head()}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${inner()}`,
      ],
      [
        'two Content-Lengths',
        (): string => `${head()}content-length: 0\r\ncontent-length: ${inner().length}\r\n\r\n${inner()}`,
      ],
      [
        'a Transfer-Encoding that is not chunked',
        (): string => `${head()}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n${inner()}`,
      ],
      [
        'a bare LF in the headers',
        (): string => `${head().replace('host: x\r\n', 'host: x\n')}content-length: 0\r\n\r\n${inner()}`,
      ],
      ['a space before a colon', (): string => `${head()}content-length : 4\r\n\r\nabcd${inner()}`],
      ['a folded header', (): string => `${head()}x-a: b\r\n content-length: 4\r\n\r\n${inner()}`],
      ['a chunk size that is no number', (): string => `${head()}transfer-encoding: chunked\r\n\r\nzz\r\n${inner()}`],
      [
        'two Host headers',
        () =>
          `GET /v1/balance HTTP/1.1\r\nhost: x\r\nhost: y\r\nauthorization: Bearer ${key.secret}\r\nconnection: close\r\n\r\n`,
      ],
    ]
    it.each(rows)('%s is answered 400, the connection closes, and nothing behind it is heard', async (_, bytes) => {
      const answer = await world.raw(bytes())
      expect(answer).toMatch(/^HTTP\/1\.1 400 /)
      expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
      expect(await world.requests(since.requests)).toEqual([])
    })
  })

  describe('CREDENTIALS', () => {
    it.each([
      ['a live provider key', (): string => 'sk_live_abcdef0123456789', 401, 'live_provider_key'],
      ['a restricted provider key', (): string => 'rk_live_abcdef0123456789', 401, 'live_provider_key'],
      ["the gateway's own upstream credential", (): string => UPSTREAM_SECRET, 401, 'live_provider_key'],
      ["another provider's key", (): string => 'SG.abcdef0123456789.abcdef', 401, 'live_provider_key'],
      ['the admin token', (): string => world.gateway.admin_token, 401, 'admin_token_refused'],
      [
        'a vault key with one letter changed',
        (): string => `${key.secret.slice(0, -1)}${key.secret.endsWith('A') ? 'B' : 'A'}`,
        401,
        'unknown_key',
      ],
      ['an empty bearer', (): string => '', 401, 'missing_credential'],
    ] as const)('%s is refused on the agent plane and not told again', async (_, credential, status, code) => {
      for (const target of ['/v1/customers', '/stripe/v1/customers']) {
        const text = await world.raw(bytesOf({ target }, credential()))
        const answer = read(text)
        expect(answer).toMatchObject({ status, code })
        if (credential()) expect(text).not.toContain(credential())
        const [row] = await world.rows({ event_id: answer.event! })
        expect(row).toMatchObject({ decision: 'deny', reason: code, organisation: '-' })
      }
      expect(await world.requests(since.requests)).toEqual([])
    })

    it('a vault key does not open the admin plane', async () => {
      for (const path of ['/admin/vault-keys', '/admin/audit', `/admin/vault-keys/${key.id}`]) {
        const answer = await fetch(`${world.gateway.admin_url}${path}`, {
          headers: { authorization: `Bearer ${key.secret}` },
        })
        expect(answer.status).toBe(401)
      }
    })

    it('a route of the admin plane is none on the agent plane', async () => {
      const answer = await fetch(`${world.gateway.agent_url}/admin/vault-keys`, {
        headers: { authorization: `Bearer ${world.gateway.admin_token}` },
      })
      expect([401, 404]).toContain(answer.status)
    })
  })
})

describe('an upstream that looks at what it is sent', () => {
  let world: World
  let upstream: Server
  let elsewhere: Server
  let heard: { method: string; url: string; headers: IncomingHttpHeaders }[]
  let heardElsewhere: number
  let answer: { status: number; headers?: Record<string, string>; body?: string }

  const listening = async (server: Server): Promise<number> => {
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
    return (server.address() as AddressInfo).port
  }
  beforeAll(async () => {
    elsewhere = createServer((_, response) => {
      heardElsewhere += 1
      response.end('{}')
    })
    upstream = createServer((request, response) => {
      heard.push({ method: request.method!, url: request.url!, headers: request.headers })
      request.resume()
      request.on('end', () =>
        response.writeHead(answer.status, answer.headers).end(answer.body ?? '{"object":"customer"}'),
      )
    })
    await listening(elsewhere)
    world = await openWorld('embedded', {
      policy: POLICY,
      upstream: `http://127.0.0.1:${await listening(upstream)}`,
      config: { upstreams: { stripe: { deadline: '3s' } }, recovery: { every: '60s' } },
    })
  })
  afterAll(async () => {
    await world?.close()
    for (const server of [upstream, elsewhere]) {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    }
  })
  beforeEach(() => {
    heard = []
    heardElsewhere = 0
    answer = { status: 200, headers: { 'content-type': 'application/json' } }
  })

  it('headers of the client do not pass, but for those that the provider is meant to see', async () => {
    const key = await world.issue({ agent: CASHIER })
    await world.dropIn('GET', '/v1/customers', {
      key,
      headers: {
        'stripe-version': '2019-01-01',
        cookie: 'session=1',
        'x-forwarded-host': 'evil.example',
        'x-forwarded-for': '10.0.0.1',
        'x-anything': 'else',
        'idempotency-key': 'mine',
        'proxy-authorization': 'Basic abc',
      },
    })
    expect(heard).toHaveLength(1)
    const { headers } = heard[0]!
    expect(headers.authorization).toBe(`Bearer ${UPSTREAM_SECRET}`)
    expect(headers['stripe-version']).not.toBe('2019-01-01')
    for (const name of ['cookie', 'x-forwarded-host', 'x-forwarded-for', 'x-anything', 'proxy-authorization'])
      expect(headers).not.toHaveProperty(name)
    expect(JSON.stringify(headers)).not.toContain(key.secret)
    expect(headers['idempotency-key'] ?? '').not.toBe('mine')
  })

  it.each([
    ['another Host', { target: '/v1/customers', headers: { host: 'evil.example' } }],
    ['X-Forwarded-Host', { target: '/v1/customers', headers: { 'x-forwarded-host': 'evil.example' } }],
    ['the host name of the gateway itself', { target: '/v1/customers', headers: { host: '127.0.0.1' } }],
    ["the provider's host name", { target: '/v1/customers', headers: { host: 'api.stripe.com' } }],
  ])('%s leads to the pinned origin only', async (_, request) => {
    const key = await world.issue({ agent: CASHIER })
    expect(read(await world.raw(bytesOf(request, key.secret))).status).toBe(200)
    expect(heard.map(({ url }) => url)).toEqual(['/v1/customers'])
    expect(heard[0]!.headers.host).toMatch(/^127\.0\.0\.1:\d+$/)
  })

  it('an absolute-form target is refused', async () => {
    const key = await world.issue({ agent: CASHIER })
    const { port } = elsewhere.address() as AddressInfo
    const target = `http://127.0.0.1:${port}/v1/customers`
    const reply = read(await world.raw(bytesOf({ target }, key.secret)))
    expect(reply).toMatchObject({ status: 400, code: 'bad_path' })
    expect(await world.rows({ event_id: reply.event! })).toMatchObject([{ decision: 'deny', reason: 'bad_path' }])
    expect([heard.length, heardElsewhere]).toEqual([0, 0])
  })

  it.each([301, 302, 307, 308])(
    'a redirect with %i towards another host is not followed, for a read or a write',
    async (status) => {
      const key = await world.issue({ agent: CASHIER })
      const { port } = elsewhere.address() as AddressInfo
      answer = { status, headers: { location: `http://127.0.0.1:${port}/v1/customers` }, body: '' }
      const reading = await world.dropIn('GET', '/v1/customers', { key })
      const writing = await world.byName('create_customer', { params: { name: 'A' } }, { key })
      expect([reading.status, writing.status]).toEqual([502, 502])
      // A redirect is the door's, not the endpoint's: nothing behind it has acted.
      expect(writing.body.code).toBe('upstream_failed')
      expect(heardElsewhere).toBe(0)
      expect(reading.headers.get('location')).toBeNull()
      expect(new Set(heard.slice(1).map(({ headers }) => headers['idempotency-key']))).toEqual(
        new Set([`cs-${writing.body.event_id}`]),
      )
    },
  )

  it("the gateway's own credential in an answer is blotted out", async () => {
    const key = await world.issue({ agent: CASHIER })
    answer = {
      status: 400,
      body: JSON.stringify({ error: { type: 'invalid_request_error', message: `the key ${UPSTREAM_SECRET} is odd` } }),
    }
    const reply = await world.dropIn('GET', '/v1/customers', { key })
    expect(reply.status).toBe(400)
    expect(JSON.stringify(reply.body)).not.toContain(UPSTREAM_SECRET)
  })
})
