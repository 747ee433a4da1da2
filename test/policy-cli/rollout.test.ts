/** push, list, show, rollback and diff as an operator runs them: the built commands, against a gateway that `serve` started. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Environment, type Ran, run, type Served, serve } from '../cli/run.ts'
import { type FreshDatabase, freshDatabase } from '../services/database.ts'
import { holding } from './folder.ts'

/** Charges up to so many cents. */
const rule = (max: number): string =>
  `package tool_decision\n\nallow {\n  input.operation == "create_charge"\n  input.params.amount <= ${max}\n}\n`
const BROKEN = 'package tool_decision\n\nallow {\n  input.effect == "write"\n  forgive(input.params)\n}\n'
const PROJECT = 'project: p\nagents: [till-1]\ngrants: [{ service: stripe, actions: [charges:read] }]\n'
const REVISION = /^sha256:[0-9a-f]{64}\n$/

describe.each(['embedded', 'PostgreSQL'])('a gateway on the database: %s', (engine) => {
  /** Folders of policies, and no rego here: nothing but a push changes what is in force. */
  const cwd = holding({
    'first/tool_decision.rego': rule(500),
    'first/tool_decision_test.rego': 'package nonsense {',
    'second/tool_decision.rego': rule(100),
    'broken/tool_decision.rego': BROKEN,
    'policies/p.yaml': PROJECT,
    'bad-policies/p.yaml': `${PROJECT}owner: me\n`,
  })
  let database: FreshDatabase | undefined
  let gateway: Served
  let secret: string
  beforeAll(async () => {
    database =
      engine === 'PostgreSQL' ? await freshDatabase(inject('postgresUrl'), inject('postgresTemplate')) : undefined
    gateway = await serve({ cwd, env: { ...(database && { DATABASE_URL: database.url }) } })
    const made = await cli('keys', 'create', '--agent', 'till-1', '--json')
    secret = JSON.parse(made.out).vault_key
  })
  afterAll(async () => {
    await gateway?.stop()
    await database?.drop()
  })

  const cli = (...args: string[]): Promise<Ran> => run(args, { cwd, env: gateway.env })
  const policy = (...args: string[]): Promise<Ran> => cli('policy', ...args)
  const push = async (dir: string): Promise<string> => (await policy('push', '--dir', dir)).out.trim()
  const readyz = async () => (await (await fetch(`${gateway.env.COUNTERSIGN_URL}/readyz`)).json()).policy.revision
  const changes = async () => JSON.parse((await policy('list', '--json')).out).changes as Record<string, string>[]
  /** What is decided of a charge, and by which revision: as the audit row says. */
  const decided = async (amount = 400) => {
    const response = await fetch(
      `${gateway.env.COUNTERSIGN_URL}/v1/providers/stripe/operations/create_charge?dry_run`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        body: JSON.stringify({ params: { amount, currency: 'usd', customer: 'cus_1' } }),
      },
    )
    const id = response.headers.get('countersign-event-id')!
    const { out } = await cli('audit', 'tail', '--event-id', id, '--no-follow', '--json')
    const { decision, policy_revision } = JSON.parse(out)
    return { decision, policy_revision }
  }

  it('push: the policy is in force at once, in decisions, in the list and at /readyz', async () => {
    const { code, out, err } = await policy('push', '--dir', 'first')
    expect(code).toBe(0)
    expect(out).toMatch(REVISION)
    expect(err).toMatch(/^in force now, in place of sha256:[0-9a-f]{64}:\n$/)
    const policy_revision = out.trim()
    expect(await readyz()).toBe(policy_revision)
    expect(await decided()).toEqual({ decision: 'allow', policy_revision })
    const { out: listed } = await policy('list')
    const [head, newest, ...before] = listed.trimEnd().split('\n')
    expect(head).toMatch(/^ +change +revision +at +origin +by$/)
    expect(newest).toMatch(new RegExp(`^\\* +2 +${policy_revision.slice(0, 19)} +\\S+Z +admin +admin token$`))
    expect(before).toEqual([expect.stringMatching(/^ +1 +sha256:[0-9a-f]{12} +\S+Z +file +gw_\S+$/)])
  })

  it('push of the same again changes nothing', async () => {
    const revision = await push('first')
    const listed = await changes()
    expect(await policy('push', '--dir', 'first')).toEqual({
      code: 0,
      out: `${revision}\n`,
      err: 'in force already:\n',
    })
    expect(await changes()).toEqual(listed)
    expect(JSON.parse((await policy('push', '--dir', 'first', '--json')).out)).toEqual({ changed: false, revision })
  })

  it('push of a bad policy is refused with its file, line, why and fix, and the old one serves on', async () => {
    const policy_revision = await push('first')
    expect(await policy('push', '--dir', 'broken')).toEqual({
      code: 1,
      out: '',
      err: `the policy is refused, and the one in force stays
broken/tool_decision.rego:5:3: the function forgive is not defined, and is no builtin that runs inside the gateway
  fix: Correct its name, or hand the policy the fact as input or data: docs/policy lists the builtins that run.
`,
    })
    const { code, err } = await policy('push', '--dir', 'first', '--projects', 'bad-policies')
    expect(code).toBe(1)
    expect(err).toMatch(/^bad-policies\/p\.yaml:4:1: .*owner/m)
    expect(await readyz()).toBe(policy_revision)
    expect(await decided()).toEqual({ decision: 'allow', policy_revision })
  })

  it('push without a folder of project policies leaves those in force', async () => {
    await push('first')
    const { err } = await policy('push', '--dir', 'second', '--projects', join(cwd, 'none'))
    expect(err).toMatch(/^there is no folder of project policies: those in force stay\n/)
    expect((await policy('show', await readyz())).out).toContain('  projects/p.yaml\n')
  })

  it('show: what a revision is made of, by its name or its first letters, on the screen, as JSON and as files', async () => {
    const revision = await push('first')
    const { code, out } = await policy('show', revision)
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`^${revision}\nmade +\\S+Z\nkey +\\S{44}\nsignature +\\S{88}\n`))
    expect(out).toMatch(/\n {2}countersign\/decision\.rego\n(.*\n)* {2}projects\/p\.yaml\n {2}tool_decision\.rego\n$/)
    const start = revision.slice('sha256:'.length, 'sha256:'.length + 10)
    expect((await policy('show', start)).out).toBe(out)
    const { files } = JSON.parse((await policy('show', start, '--json')).out)
    expect(files['tool_decision.rego']).toBe(rule(500))

    expect(await policy('show', start, '--out', 'then')).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^wrote 1\d files/),
    })
    expect(readFileSync(join(cwd, 'then/tool_decision.rego'), 'utf8')).toBe(rule(500))
    expect(existsSync(join(cwd, 'then/tool_decision_test.rego'))).toBe(false)
    expect(await policy('show', start, '--out', 'then')).toMatchObject({
      code: 1,
      err: expect.stringContaining('is there already'),
    })
  })

  it('rollback: to a revision, and plainly to the one before', async () => {
    const first = await push('first')
    const second = await push('second')
    expect(await decided()).toEqual({ decision: 'deny', policy_revision: second })
    const back = { code: 0, out: `${first}\n`, err: `in force now, in place of ${second}:\n` }
    expect(await policy('rollback', '--to', first.slice(0, 20))).toEqual(back)
    expect(await decided()).toEqual({ decision: 'allow', policy_revision: first })
    expect((await changes())[0]).toMatchObject({ origin: 'rollback', revision: first, previous: second })

    expect(await push('second')).toBe(second)
    expect(await policy('rollback')).toEqual(back)
    expect(await readyz()).toBe(first)
    const { out } = await policy('rollback', '--to', second, '--json')
    expect(JSON.parse(out)).toEqual({ changed: true, revision: second, previous: first })
  })

  it('rollback ends at the first', async () => {
    let last: Ran
    do last = await policy('rollback')
    while (last.code === 0)
    expect(last.err).toBe(
      'There is no revision before the one in force.\n  fix: Name one with `to` (--to); GET /admin/policies and `countersign policy list` show the history.\n',
    )
    expect((await changes()).at(-1)!.revision).toBe(await readyz())
  })

  it('diff: stored revisions and folders, sources and calls, from the gateway', async () => {
    const [first, second] = [await push('first'), await push('second')]
    await decided(300)
    const { code, out } = await policy('diff', first, second.slice(7, 17), '--since', '1h')
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`^before ${first}\nafter  ${second}\n`))
    expect(out).toMatch(/^-.*<= 500\n\+.*<= 100$/m)
    expect(out).toMatch(/^newly denied +[1-9]/m)
    const here = await policy('diff', second, 'second', '--projects', 'policies', '--no-calls')
    expect(here).toMatchObject({ code: 0, out: expect.stringContaining('the sources are the same') })
  })

  const WRONG: readonly { name: string; args: readonly string[]; env?: Environment; says: RegExp }[] = [
    {
      name: 'show of an unknown revision',
      args: ['show', '0123456789'],
      says: /^The history has no revision 0123456789\.\n {2}fix: .*policy list/,
    },
    { name: 'show of what is no revision', args: ['show', 'latest'], says: /'latest' is invalid.*policy list/ },
    {
      name: 'rollback to an unknown revision',
      args: ['rollback', '--to', '0123456789'],
      says: /^The history has no revision 0123456789\.\n/,
    },
    {
      name: 'rollback to what is no revision',
      args: ['rollback', '--to', '../x'],
      says: /'\.\.\/x' is invalid.*policy list/,
    },
    {
      name: 'diff with an unknown revision',
      args: ['diff', '0123456789', 'first'],
      says: /^The history has no revision 0123456789\.\n/,
    },
    {
      name: 'diff with what is neither',
      args: ['diff', 'third', 'first'],
      says: /^There is no folder third, and no revision is written so\.\n {2}fix: /,
    },
    {
      name: 'list with a limit that is none',
      args: ['list', '--limit', '0'],
      says: /'0' is invalid\. Write a whole number from 1 to 1000\./,
    },
    { name: 'push of a folder that is not there', args: ['push', '--dir', 'none'], says: /there is no folder \S+none/ },
    {
      name: 'push with a wrong token',
      args: ['push', '--dir', 'second'],
      env: { COUNTERSIGN_ADMIN_TOKEN: 'csadm_wrong' },
      says: /^This is not the admin token of this gateway\.\n {2}fix: /,
    },
    {
      name: 'list with a wrong token',
      args: ['list'],
      env: { COUNTERSIGN_ADMIN_TOKEN: 'csadm_wrong' },
      says: /^This is not the admin token of this gateway\.\n {2}fix: /,
    },
    {
      name: 'push to a gateway that is down',
      args: ['push', '--dir', 'second'],
      env: { COUNTERSIGN_ADMIN_URL: 'http://127.0.0.1:2' },
      says: /^The gateway is not running at http:\/\/127\.0\.0\.1:2\.\n {2}fix: /,
    },
    {
      name: 'rollback at a gateway that is down',
      args: ['rollback'],
      env: { COUNTERSIGN_ADMIN_URL: 'http://127.0.0.1:2' },
      says: /^The gateway is not running at /,
    },
  ]
  it.each(WRONG)('$name: says what, why and the fix, and exits with 1', async ({ args, env = {}, says }) => {
    const before = await readyz()
    const { code, out, err } = await run(['policy', ...args], { cwd, env: { ...gateway.env, ...env } })
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err.replace(/^there is no folder of project policies.*\n/, '')).toMatch(says)
    expect(await readyz()).toBe(before)
  })
})

it('diff reads stored revisions straight from the database where DATABASE_URL is set, the gateway being down', async () => {
  const cwd = holding({ 'first/tool_decision.rego': rule(500), 'second/tool_decision.rego': rule(100) })
  const database = await freshDatabase(inject('postgresUrl'), inject('postgresTemplate'))
  const env = { DATABASE_URL: database.url }
  const gateway = await serve({ cwd, env })
  const push = async (dir: string) =>
    (await run(['policy', 'push', '--dir', dir], { cwd, env: gateway.env })).out.trim()
  const [first, second] = [await push('first'), await push('second')]
  await gateway.stop()
  const diff = (...args: string[]) => run(['policy', 'diff', ...args, '--format', 'json'], { cwd, env })
  const { code, out } = await diff(first.slice(7, 17), second)
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({
    before: first,
    after: second,
    files: [{ name: 'tool_decision.rego' }],
    compared: 0,
  })
  expect(await diff('0123456789', second)).toMatchObject({ code: 1, err: expect.stringContaining('has no revision') })
  await database.drop()
})
