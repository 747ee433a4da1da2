/** Which policy is in force: published, followed, rolled back, and never replaced by a bad one. */
import { afterEach, describe, expect, it } from 'vitest'
import { BROKEN, CHARGING, ENGINES, openSite, POLICY, project, READING, rule, type Site, type Started } from './site.ts'

let site: Site
afterEach(() => site?.close())

const rego = (rules: string): string => `package tool_decision\n\nimport rego.v1\n\n${rules}\n`

const soon = <Value>(ask: () => Promise<Value>) => expect.poll(ask, { timeout: 15_000, interval: 50 })

describe.each(ENGINES)('on %s', (engine) => {
  it('the first start publishes the folder, signed, and a later start finds it in force', async () => {
    site = await openSite(engine)
    const first = await site.start('a', POLICY)
    const revision = await first.revision()
    const { body } = await first.admin('GET', '/admin/policies')
    expect(body).toMatchObject({
      in_force: { revision },
      changes: [{ seq: 1, revision, previous: null, origin: 'file' }],
    })
    const shown = await first.admin('GET', `/admin/policies/${revision}`)
    expect(shown.body).toMatchObject({ revision, algorithm: 'Ed25519', files: { 'tool_decision.rego': rule(500) } })
    expect(Buffer.from(shown.body.signature, 'base64')).toHaveLength(64)
    expect(Buffer.from(shown.body.public_key, 'base64')).toHaveLength(32)
    await first.stop()

    const second = await site.start('a', POLICY)
    expect(await second.revision()).toBe(revision)
    expect((await second.admin('GET', '/admin/policies')).body.changes).toHaveLength(1)
  })

  it('a changed file, a push and a rollback each put one change and one audit row there', async () => {
    site = await openSite(engine)
    const gateway = await site.start('a', POLICY)
    const key = await gateway.key()
    const first = await gateway.revision()
    expect(await gateway.charge(key)).toBe('allow')

    site.write('a', { 'rego/tool_decision.rego': rule(100) })
    await soon(() => gateway.charge(key)).toBe('policy_denied')
    const second = await gateway.revision()

    const pushed = await gateway.admin('POST', '/admin/policies', { files: { 'tool_decision.rego': rule(450) } })
    expect(pushed).toMatchObject({ status: 200, body: { changed: true, previous: second } })
    expect(await gateway.charge(key)).toBe('allow')

    const back = await gateway.admin('POST', '/admin/policies/rollback', {})
    expect(back).toMatchObject({ status: 200, body: { changed: true, revision: second } })
    expect(await gateway.charge(key)).toBe('policy_denied')
    const further = await gateway.admin('POST', '/admin/policies/rollback', {})
    expect(further.body).toMatchObject({ revision: first })
    const named = await gateway.admin('POST', '/admin/policies/rollback', { to: pushed.body.revision.slice(7, 20) })
    expect(named.body).toMatchObject({ revision: pushed.body.revision })

    const { changes } = (await gateway.admin('GET', '/admin/policies')).body
    expect(changes.map(({ origin }: { origin: string }) => origin)).toEqual([
      'rollback',
      'rollback',
      'rollback',
      'admin',
      'file',
      'file',
    ])
    const rows = await gateway.rows()
    expect(rows.map(({ tags }) => tags)).toMatchObject([
      { origin: 'file', to: first },
      { origin: 'file', from: first, to: second },
      { origin: 'admin', by: 'admin token', from: second, to: pushed.body.revision },
      { origin: 'rollback', from: pushed.body.revision, to: second },
      { origin: 'rollback', from: second, to: first },
      { origin: 'rollback', from: first, to: pushed.body.revision },
    ])
    expect(rows.every((row) => row.decision === undefined && row.reason === undefined)).toBe(true)
  })

  it('a restart after a rollback stays rolled back, and a push takes the files of the folder all the same', async () => {
    site = await openSite(engine)
    const before = await site.start('a', POLICY)
    const first = await before.revision()
    const newer = { 'rego/tool_decision.rego': rule(100) }
    site.write('a', newer)
    await soon(() => before.revision()).not.toBe(first)
    await before.admin('POST', '/admin/policies/rollback', {})
    await before.stop()

    const after = await site.start('a', {})
    expect(await after.revision()).toBe(first)
    const reloaded = await after.admin('POST', '/admin/policies/reload')
    expect(reloaded.body).toMatchObject({
      changed: false,
      revision: first,
      why: expect.stringContaining('policy push'),
    })
    const pushed = await after.admin('POST', '/admin/policies', { files: { 'tool_decision.rego': rule(100) } })
    expect(pushed.body).toMatchObject({ changed: true, previous: first })
  })

  it('a folder that changed while nobody ran takes over at the start, where its content is new', async () => {
    site = await openSite(engine)
    const before = await site.start('a', POLICY)
    await before.stop()
    const after = await site.start('a', { 'rego/tool_decision.rego': rule(100) })
    expect((await after.admin('GET', '/admin/policies')).body.changes).toHaveLength(2)
    expect(await after.charge(await after.key())).toBe('policy_denied')
  })

  it('a grant that is taken out of a file stops, though the history knows the file without it', async () => {
    site = await openSite(engine)
    const without = { 'policies/p.yaml': project([READING]) }
    const gateway = await site.start('a', { ...POLICY, ...without })
    const key = await gateway.key({ project: 'p' })
    expect(await gateway.charge(key)).toBe('policy_denied')
    site.write('a', { 'policies/p.yaml': project([READING, CHARGING]) })
    await soon(() => gateway.charge(key)).toBe('allow')
    site.write('a', without)
    await soon(() => gateway.charge(key)).toBe('policy_denied')
  })

  it('a grant stops at its second', async () => {
    site = await openSite(engine)
    const gateway = await site.start('a', { ...POLICY, 'policies/p.yaml': project([READING]) })
    const key = await gateway.key({ project: 'p' })
    const expires = new Date(Date.now() + 6_000).toISOString()
    await gateway.admin('POST', '/admin/policies', { projects: { 'p.yaml': project([{ ...CHARGING, expires }]) } })
    expect(await gateway.charge(key)).toBe('allow')
    await soon(() => gateway.charge(key)).toBe('policy_denied')
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expires))
  })

  it('what is pushed without project policies leaves those in force as they are; an empty map takes them away', async () => {
    site = await openSite(engine)
    const gateway = await site.start('a', { ...POLICY, 'policies/p.yaml': project([READING]) })
    const key = await gateway.key({ project: 'p' })
    const files = { 'tool_decision.rego': rule(450) }
    await gateway.admin('POST', '/admin/policies', { files })
    expect(await gateway.charge(key)).toBe('policy_denied')
    await gateway.admin('POST', '/admin/policies', { projects: {} })
    expect(await gateway.charge(key)).toBe('allow')
  })
})

describe('a bad policy never replaces a good one', () => {
  const untouched = async (gateway: Started, before: string, row: object) => {
    expect(await gateway.revision()).toBe(before)
    expect(await gateway.charge(await gateway.key())).toBe('allow')
    await soon(async () => (await gateway.rows()).at(-1)).toMatchObject({ reason: 'policy_refused', ...row })
    expect((await gateway.rows()).at(-1)!.decision).toBeUndefined()
  }

  it('from a file', async () => {
    site = await openSite('PGlite')
    const gateway = await site.start('a', POLICY)
    const before = await gateway.revision()
    site.write('a', { 'rego/tool_decision.rego': BROKEN })
    await soon(async () => (await gateway.rows()).length).toBeGreaterThan(1)
    await untouched(gateway, before, { tags: { origin: 'file', from: before } })
  })

  it('from a file that was broken while nobody ran', async () => {
    site = await openSite('PGlite')
    const first = await site.start('a', POLICY)
    const before = await first.revision()
    await first.stop()
    const gateway = await site.start('a', { 'rego/tool_decision.rego': BROKEN })
    await untouched(gateway, before, { tags: { origin: 'file', from: before } })
  })

  const PUSHES = [
    {
      name: 'Rego that does not parse',
      body: { files: { 'tool_decision.rego': BROKEN } },
      says: /tool_decision\.rego:\d/,
    },
    {
      name: 'a project policy with a misspelt field',
      body: { projects: { 'p.yaml': 'projct: p\n' } },
      says: /p\.yaml:1/,
    },
    { name: 'a file outside', body: { files: { '../x.rego': rule(1) } }, says: /plain relative path/ },
    {
      name: 'a library of its own',
      body: { files: { 'countersign/key.rego': rule(1) } },
      says: /comes with the gateway/,
    },
    { name: 'no rules at all', body: { files: {} }, says: /package tool_decision/ },
    {
      name: 'a builtin that does not run here',
      body: { files: { 'tool_decision.rego': rego('deny if http.send({"url": "http://127.0.0.1"}).status == 200') } },
      says: /tool_decision\.rego:5:\d+: the function http\.send /,
    },
    {
      name: 'a rule without end',
      body: {
        files: {
          'tool_decision.rego': rego(`deny if {
            some i in numbers.range(1, 100000)
            some j in numbers.range(1, 100000)
            i * j < 0
          }`),
        },
      },
      // Whichever bound it meets first.
      says: /did not decide \d+ calls within 10 s|used up the 256 MiB/,
    },
    {
      name: 'a rule that takes memory without end',
      body: {
        files: {
          'tool_decision.rego': rego(`row := concat("", [c | some _ in numbers.range(1, 10000); c := "0123456789"])
            wall := concat("", [r | some _ in numbers.range(1, 10000); r := row])
            deny if count(wall) == 1`),
        },
      },
      says: /used up the 256 MiB that it may have/,
    },
    {
      name: 'an obligation of another shape',
      body: { files: { 'tool_decision.rego': rego('allow if true\nobligations := {"fine": 1}') } },
      says: /obligations\.fine/,
    },
  ] as const

  it.each(PUSHES)('from the admin plane: $name', async ({ body, says }) => {
    site = await openSite('PGlite')
    const gateway = await site.start('a', POLICY)
    const before = await gateway.revision()
    const answer = await gateway.admin('POST', '/admin/policies', body)
    expect(answer).toMatchObject({ status: 422, body: { code: 'policy_refused', detail: expect.stringMatching(says) } })
    expect(answer.body.fix).not.toBe('')
    await untouched(gateway, before, { tags: { origin: 'admin', by: 'admin token', from: before } })
  })

  it.each([
    { name: 'files of another kind', body: { files: ['x'] } },
    { name: 'nothing', body: {} },
    { name: 'a field that does not exist', body: { file: {} } },
  ])('$name is no policy', async ({ body }) => {
    site = await openSite('PGlite')
    const gateway = await site.start('a', POLICY)
    expect((await gateway.admin('POST', '/admin/policies', body)).status).toBe(400)
  })

  it('a first start without a policy is fatal, and says what to do', async () => {
    site = await openSite('PGlite')
    await expect(site.start('a', { 'rego/tool_decision.rego': BROKEN })).rejects.toThrow(
      /no policy to decide by[\s\S]*tool_decision\.rego:\d[\s\S]*fix:/,
    )
  })
})

describe('a rollback', () => {
  it.each([
    { name: 'with nothing before', to: undefined, status: 404 },
    { name: 'to what the history does not have', to: 'abcdef12', status: 404 },
    { name: 'to no revision', to: 'yesterday', status: 400 },
  ])('$name is refused', async ({ to, status }) => {
    site = await openSite('PGlite')
    const gateway = await site.start('a', POLICY)
    expect((await gateway.admin('POST', '/admin/policies/rollback', { to })).status).toBe(status)
  })
})
