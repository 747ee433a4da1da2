/** keys, call and audit against a gateway that `serve` started over the sandbox, from start to drain. */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { folder, type Ran, run, type Served, serve, until } from './run.ts'

const POLICY = `package tool_decision

allow {
  input.provider == "stripe"
  input.operation == "create_refund"
  input.agent.role == "support-tier-1"
  input.params.amount <= 5000
}
`

const home = folder()
let gateway: Served
/** Of a key that may refund. */
let secret: string
let id: string

beforeAll(async () => {
  mkdirSync(join(home.path, 'rego'))
  writeFileSync(join(home.path, 'rego/tool_decision.rego'), POLICY)
  gateway = await serve({ cwd: home.path })
  const asked = [
    '--agent',
    'billing-1',
    '--role',
    'support-tier-1',
    '--run',
    'conv-42',
    '--budget',
    'run lifetime 2500 usd',
  ]
  const made = JSON.parse((await cli('keys', 'create', ...asked, '--ttl', '1h', '--json')).out)
  secret = made.vault_key
  id = made.id
})
afterAll(async () => {
  await gateway?.stop()
  home.remove()
})

const cli = (...args: string[]): Promise<Ran> => run(args, { cwd: home.path, env: gateway.env })
const call = (...args: string[]): Promise<Ran> =>
  run(['call', ...args], { cwd: home.path, env: { ...gateway.env, COUNTERSIGN_VAULT_KEY: secret } })
const rowsOf = (jsonl: string) =>
  jsonl
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('serve', () => {
  it('says where it listens, and shows a new admin token once', () => {
    const token = readFileSync(join(home.path, '.countersign/admin-token'), 'utf8').trim()
    expect(gateway.said()).toContain(`admin token  ${token}  (shown once`)
    expect(statSync(join(home.path, '.countersign/admin-token')).mode & 0o777).toBe(0o600)
  })
})

describe('keys', () => {
  it('create shows the secret once, and list and show never', async () => {
    const made = await cli('keys', 'create', '--agent', 'reader-1', '--daily-cap-usd', '2.50', '--operation', 'read')
    expect(made).toMatchObject({ code: 0 })
    const own = /^vault key +(cs_\S{43})$/m.exec(made.out)![1]!
    expect(made.out).toContain('2.50 USD per key and day')
    expect(made.err).toContain('shown this once')
    const listed = await cli('keys', 'list')
    expect(listed.out.split('\n')[0]).toMatch(/^ID +STATE +AGENT/)
    expect(listed.out).toMatch(/ live +reader-1 /)
    const shown = await cli('keys', 'show', /^id +(vk_\S+)$/m.exec(made.out)![1]!)
    expect(shown.out).toMatch(/operations +read/)
    expect(listed.out + shown.out).not.toContain(own)
  })

  it('create needs an agent', async () => {
    const { code, err } = await cli('keys', 'create', '--run', 'conv-1')
    expect(code).toBe(1)
    expect(err).toContain('The key has no agent.\n  fix: Name it with --agent')
  })

  it("the gateway's own refusal comes through in words", async () => {
    const { code, err } = await cli('keys', 'create', '--agent', 'a', '--budget', 'run day 5 xxx')
    expect(code).toBe(1)
    expect(err).toContain('xxx is not an ISO 4217 currency')
    expect(err).toContain('  fix: ')
  })

  it('rotate makes a second key, and revoke by run ends both', async () => {
    const first = JSON.parse((await cli('keys', 'create', '--agent', 'a', '--run', 'conv-9', '--json')).out)
    const second = JSON.parse((await cli('keys', 'rotate', first.id, '--overlap', '10m', '--json')).out)
    expect(second).toMatchObject({ run: 'conv-9', agent: { id: 'a' } })
    expect(second.vault_key).not.toBe(first.vault_key)
    const { out } = await cli('keys', 'revoke', '--run', 'conv-9')
    expect(out.trim().split('\n').sort()).toEqual([`revoked ${first.id}`, `revoked ${second.id}`].sort())
    expect((await cli('keys', 'revoke', '--run', 'conv-9')).err).toContain('nothing changed')
  })

  it('revoke without a name of anything revokes nothing', async () => {
    const { code, err } = await cli('keys', 'revoke')
    expect(code).toBe(1)
    expect(err).toContain('Nothing says which keys to revoke.')
    expect((await cli('keys', 'show', id)).out).toMatch(/state +live/)
  })

  it('a key that is not there is an error', async () => {
    expect(await cli('keys', 'revoke', 'vk_none')).toMatchObject({ code: 1 })
    expect((await cli('keys', 'show', 'vk_none')).err).toContain('There is no vault key vk_none')
  })
})

describe('call', () => {
  it('prints the answer as JSON, its cost included, and a repeat from the record', async () => {
    const refund = [
      'stripe',
      'create_refund',
      'charge=ch_123',
      'amount=500',
      '--call-id',
      'refund-1',
      '--run',
      'conv-42',
    ]
    const first = await call(...refund)
    expect(first).toMatchObject({ code: 0, err: '' })
    const answer = JSON.parse(first.out)
    expect(answer).toMatchObject({
      decision: 'allow',
      replayed: false,
      status: 200,
      data: { object: 'refund', amount: 500, charge: 'ch_123' },
      cost: { amount: 500, currency: 'usd' },
    })
    expect(JSON.parse((await call(...refund)).out)).toEqual({ ...answer, replayed: true })
    const spent = await cli('keys', 'show', id)
    expect(spent.out).toMatch(/5\.00 USD +0\.00 USD +25\.00 USD +20\.00 USD/)
  })

  it('a refusal says what, why, the fix and the event, and exits with 1', async () => {
    const { code, out, err } = await call('stripe', 'create_refund', 'charge=ch_123', 'amount=5001')
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(/^policy_denied: /)
    expect(err).toMatch(/^ {2}(rule|why): /m)
    expect(err).toMatch(/^ {2}fix: /m)
    expect(err).toMatch(/^ {2}event: [0-9a-f-]{36}$/m)
  })

  it('a cap that would be passed is a refusal', async () => {
    const { code, err } = await call('stripe', 'create_refund', 'charge=ch_123', 'amount=2001')
    expect(code).toBe(1)
    expect(err).toMatch(/^spend_cap_exceeded: /)
  })

  it('a dry run decides, and moves nothing', async () => {
    const { code, out } = await call('stripe', 'create_refund', 'charge=ch_123', 'amount=700', '--dry-run')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ decision: 'allow', dry_run: true, cost: { amount: 700, currency: 'usd' } })
    expect((await cli('keys', 'show', id)).out).not.toContain('12.00 USD')
  })

  it("the provider's own error is printed, and exits with 1", async () => {
    const { code, out, err } = await call('stripe', 'retrieve_customer', 'customer=cus_none')
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({ decision: 'allow', status: 404 })
    expect(err).toContain('The provider answered 404')
  })

  it('an outcome that nobody knows exits with 2', async () => {
    const server = createServer((socket) => socket.once('data', () => socket.destroy()))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const { code, err } = await call('stripe', 'list_customers', '--url', `http://127.0.0.1:${port}`)
    server.close()
    expect(code).toBe(2)
    expect(err).toMatch(/^ {2}call id: /m)
  })

  it("a provider's own key is not sent anywhere", async () => {
    const { code, err } = await call('stripe', 'list_customers', '--key', 'sk_live_0123456789')
    expect(code).toBe(1)
    expect(err).toContain('live_provider_key')
    expect(err).not.toContain('0123456789')
  })
})

describe('audit', () => {
  it('export writes JSONL, filtered, whole or not at all', async () => {
    const file = join(home.path, 'audit.jsonl')
    const { code, err } = await cli(
      'audit',
      'export',
      '--run',
      'conv-42',
      '--operation',
      'create_refund',
      '--out',
      file,
    )
    const rows = rowsOf(readFileSync(file, 'utf8'))
    expect(code).toBe(0)
    expect(err).toContain(`${rows.length} rows in ${file}`)
    expect(Object.keys(rows[0]).slice(0, 3)).toEqual(['ts', 'agent', 'project'])
    expect(rows.every((row) => row.run === 'conv-42' && row.operation === 'create_refund')).toBe(true)
    expect(rows.some((row) => row.decision === 'deny')).toBe(true)
    expect(existsSync(`${file}.part`)).toBe(false)
    const [first] = rows
    const again = await cli('audit', 'export', '--event-id', first.event_id, '--decision', first.decision)
    expect(rowsOf(again.out)).toContainEqual(first)
    expect((await cli('audit', 'export', '--until', first.ts)).out).not.toContain(first.event_id)
  })

  it('export to a folder that is not there says so', async () => {
    const { code, err } = await cli('audit', 'export', '--out', join(home.path, 'none/audit.jsonl'))
    expect(code).toBe(1)
    expect(err).toContain('cannot be written')
  })

  it('tail prints a line a row, and ends with --no-follow', async () => {
    const { code, out } = await cli('audit', 'tail', '--no-follow', '--decision', 'deny', '--agent', 'billing-1')
    expect(code).toBe(0)
    expect(out).toMatch(/^\S+Z {2}billing-1 +stripe:refunds:create +deny +50\.01 USD {2}\S{36} {2}policy_denied: /m)
  })

  it('tail follows what comes later, and prints each row once', async () => {
    let asked = false
    const out = await until(
      ['audit', 'tail', '--json', '--run', 'conv-42'],
      { cwd: home.path, env: gateway.env },
      (seen) => {
        if (!asked) void call('stripe', 'retrieve_balance', '--run', 'conv-42', '--call-id', 'late-1')
        asked = true
        return rowsSeen(seen).some((row) => row.call_id === 'late-1' && row.kind === 'outcome')
      },
    )
    const ids = rowsSeen(out).map((row) => row.id)
    expect(new Set(ids).size).toBe(ids.length)
  })
})

/** Of what was printed so far, the whole lines. */
const rowsSeen = (out: string) => {
  const whole = out.slice(0, out.lastIndexOf('\n'))
  return whole === '' ? [] : rowsOf(whole)
}

describe('doctor and the others, while the gateway runs', () => {
  it('doctor says that a gateway answers and has the database', async () => {
    const port = (url: string) => new URL(url).port
    const { COUNTERSIGN_URL = '', COUNTERSIGN_ADMIN_URL = '' } = gateway.env
    const env = { COUNTERSIGN_PORT: port(COUNTERSIGN_URL), COUNTERSIGN_ADMIN_PORT: port(COUNTERSIGN_ADMIN_URL) }
    const { code, out } = await run(['doctor'], { cwd: home.path, env })
    expect(out).toMatch(/^ok +agent plane +a gateway answers/m)
    expect(out).toMatch(/^ok +database +embedded; the gateway that answers has it/m)
    expect(code).toBe(0)
  })

  it('migrate leaves the database to the gateway that has it', async () => {
    const { code, err } = await cli('migrate')
    expect(code).toBe(1)
    expect(err).toContain('in use by another process')
  })

  it('what is no gateway is not taken for the admin plane', async () => {
    const [, sandbox = ''] = /^sandbox +(http\S+)$/m.exec(gateway.said()) ?? []
    const { code, err } = await cli('keys', 'list', '--admin-url', sandbox)
    expect(code).toBe(1)
    expect(err).toContain('is not the admin plane of a gateway')
  })

  it('another token is refused, and not repeated', async () => {
    const env = { ...gateway.env, COUNTERSIGN_ADMIN_TOKEN: 'csadm_wrong' }
    const { code, err } = await run(['keys', 'list'], { cwd: home.path, env })
    expect(code).toBe(1)
    expect(err).toContain('not the admin token of this gateway')
    expect(err).not.toContain('csadm_wrong')
  })
})

describe('after SIGTERM', () => {
  it('the gateway drains and ends with 0; commands say that it is not running; the embedded database is free', async () => {
    expect(await gateway.stop()).toBe(0)
    expect(gateway.said()).toContain('draining')
    const { code, err } = await cli('keys', 'list')
    expect(code).toBe(1)
    expect(err).toContain('The gateway is not running at http://127.0.0.1:')
    expect(err).toContain('countersign serve')
    expect((await cli('migrate', '--dry-run')).err).toContain('is up to date')
  })
})
