/** Several gateways on one PostgreSQL: all follow the newest change, and none follows what does not verify. */
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CHARGING, openSite, POLICY, project, READING, rule, type Site, type Started } from './site.ts'

let site: Site
let one: Started
let other: Started
beforeEach(async () => {
  site = await openSite('PostgreSQL')
  one = await site.start('one', { ...POLICY, 'policies/p.yaml': project([CHARGING]) })
  other = await site.start('other', { ...POLICY, 'policies/p.yaml': project([CHARGING]) })
})
afterEach(() => site?.close())

const soon = <Value>(ask: () => Promise<Value>) => expect.poll(ask, { timeout: 15_000, interval: 50 })
const push = (files: object) => one.admin('POST', '/admin/policies', { files })

describe('two gateways', () => {
  it('with the same folder put one change there', async () => {
    expect((await other.admin('GET', '/admin/policies')).body.changes).toHaveLength(1)
    expect(await other.revision()).toBe(await one.revision())
  })

  it('that start at once agree', async () => {
    const projects = { 'policies/p.yaml': project([CHARGING]) }
    const both = await Promise.all([
      site.start('three', { ...projects, 'rego/tool_decision.rego': rule(3) }),
      site.start('four', { ...projects, 'rego/tool_decision.rego': rule(4) }),
    ])
    const { changes } = (await one.admin('GET', '/admin/policies')).body
    for (const gateway of [...both, one, other]) await soon(() => gateway.revision()).toBe(changes[0].revision)
    expect(changes.map(({ seq }: { seq: number }) => seq)).toEqual([3, 2, 1])
  })

  it('both stop a grant that is taken out of the file of one', async () => {
    const key = await one.key({ project: 'p' })
    expect([await one.charge(key), await other.charge(key)]).toEqual(['allow', 'allow'])
    site.write('one', { 'policies/p.yaml': project([READING]) })
    await soon(() => other.charge(key)).toBe('policy_denied')
    expect(await one.charge(key)).toBe('policy_denied')
  })

  it('both follow a push and a rollback, and an old one that starts again does not bring its folder back', async () => {
    const first = await one.revision()
    const { revision } = (await push({ 'tool_decision.rego': rule(100) })).body
    await soon(() => other.revision()).toBe(revision)
    await other.stop()
    other = await site.start('other', {})
    expect(await other.revision()).toBe(revision)
    await other.admin('POST', '/admin/policies/rollback', {})
    await soon(() => one.revision()).toBe(first)
  })
})

describe('what does not verify is refused, and the running policy stays', () => {
  const TAMPERED = [
    {
      name: 'files that were changed after they were signed',
      statement: `with good as (select packed from policy_revisions order by created_at limit 1)
        insert into policy_revisions select 'sha256:' || repeat('0', 64), own_digest, good.packed, signature, public_key, now()
        from policy_revisions, good limit 1;
        insert into policy_changes select seq + 1, 'sha256:' || repeat('0', 64), own_digest, revision, origin, by, now(), signature
        from policy_changes order by seq desc limit 1`,
    },
    {
      name: 'a change that nobody signed, back to what was in force before',
      statement: `insert into policy_changes select 3, c.revision, c.own_digest, n.revision, 'admin', 'nobody', now(), c.signature
        from policy_changes c, policy_changes n where c.seq = 1 and n.seq = 2`,
    },
  ]
  it.each(TAMPERED)('$name', async ({ statement }) => {
    const { revision } = (await push({ 'tool_decision.rego': rule(100) })).body
    await soon(() => other.revision()).toBe(revision)
    await site.tamper(statement)

    await soon(async () => (await other.ready()).policy.wanted ?? '').not.toBe('')
    expect(await other.ready()).toMatchObject({
      ready: true,
      policy: { revision, why: expect.stringMatching(/refused/) },
    })
    await soon(async () => (await other.rows()).at(-1)).toMatchObject({
      reason: 'policy_refused',
      policy_revision: revision,
    })

    // Who starts now goes by the newest that verifies, and a push puts an end to it.
    const third = await site.start('three', { ...POLICY, 'policies/p.yaml': project([CHARGING]) })
    expect(await third.ready()).toMatchObject({ policy: { revision, wanted: expect.anything() } })
    const mended = (await push({ 'tool_decision.rego': rule(200) })).body.revision
    for (const gateway of [one, other, third]) {
      await soon(() => gateway.revision()).toBe(mended)
      expect((await gateway.ready()).policy).toEqual({ revision: mended })
    }
  })

  it('a stored revision whose files were replaced', async () => {
    const first = await one.revision()
    const { revision } = (await push({ 'tool_decision.rego': rule(100) })).body
    await soon(() => other.revision()).toBe(revision)
    await site.tamper(`update policy_revisions set packed = (select packed from policy_revisions where revision = '${revision}')
      where revision = '${first}'`)
    const back = await one.admin('POST', '/admin/policies/rollback', { to: first })
    // This gateway need not ask the database for what it never let go of; one that does is told.
    expect(back).toMatchObject({
      status: 422,
      body: { code: 'policy_refused', detail: expect.stringContaining('changed after') },
    })
    expect(await one.revision()).toBe(revision)
  })

  it('a compiled policy that was put in the place of another: it is not run, the rules are compiled again', async () => {
    const { revision } = (await push({ 'tool_decision.rego': rule(100) })).body
    await site.tamper(
      `update policy_modules set packed = (select packed from policy_modules order by created_at limit 1)`,
    )
    const env = { COUNTERSIGN_DATA_DIR: join(site.root, 'data-of-three') }
    const third = await site.start('three', { ...POLICY, 'policies/p.yaml': project([CHARGING]) }, { env })
    expect(await third.revision()).toBe(revision)
    expect(await third.charge(await one.key())).toBe('policy_denied')
  })

  it('a gateway with another master key does not start on this history', async () => {
    const env = { COUNTERSIGN_MASTER_KEY: Buffer.alloc(32, 7).toString('base64') }
    await expect(site.start('three', POLICY, { env })).rejects.toThrow(/COUNTERSIGN_MASTER_KEY/)
  })
})
