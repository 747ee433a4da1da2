/** Vault keys and upstream credentials, on both engines. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KeyStore, VaultKey } from '../../src/model/agent.ts'
import type { CredentialStore } from '../../src/model/credential.ts'
import { createCredentialStore, createKeyStore } from '../../src/store/postgres/index.ts'
import { ENGINES, type Fresh } from './engines.ts'

const AT = '2026-11-21T09:00:00.000Z'

const vaultKey = (id: string, more: Partial<VaultKey> = {}): VaultKey => ({
  id,
  organisation: 'acme',
  agent: { id: 'billing-reconciler-1', role: 'support-tier-1' },
  budgets: [],
  created_at: AT,
  ...more,
})

describe.each(ENGINES)('keys on $engine', ({ fresh }) => {
  let database: Fresh
  let keys: KeyStore
  let credentials: CredentialStore

  beforeAll(async () => {
    database = await fresh()
    keys = createKeyStore(database.opened.db)
    credentials = createCredentialStore(database.opened.db)
  })
  afterAll(() => database.remove())

  it('a vault key is found by its digest, whole', async () => {
    const digest = randomBytes(32)
    const key = vaultKey('vk_whole', {
      name: 'billing conversation 42',
      project: 'project-billing',
      run: 'conv-42',
      providers: ['stripe'],
      operations: ['read', 'create_charge'],
      endpoints: ['POST /v1/charges'],
      limits: [{ param: 'amount', max: 5000 }],
      customers: ['cus_123'],
      budgets: [{ scope: 'run', window: 'lifetime', cap: 2500, currency: 'usd' }],
      repeat: 'replay',
      expires_at: '2026-11-21T10:00:00.000Z',
    })
    await keys.insert(key, digest)
    expect(await keys.findByDigest(digest)).toEqual(key)
    expect(await keys.get('vk_whole')).toEqual(key)
    expect(await keys.findByDigest(randomBytes(32))).toBeNull()
    expect(await keys.get('vk_none')).toBeNull()
  })

  it('two keys with one digest are refused', async () => {
    const digest = randomBytes(32)
    await keys.insert(vaultKey('vk_one'), digest)
    await expect(keys.insert(vaultKey('vk_two'), digest)).rejects.toThrow('duplicate key')
  })

  it('revoking by a filter revokes exactly those that were not revoked yet', async () => {
    const organisation = 'revoking'
    for (const [id, run] of [
      ['vk_r1', 'conv-1'],
      ['vk_r2', 'conv-1'],
      ['vk_r3', 'conv-2'],
    ] as const)
      await keys.insert(vaultKey(id, { organisation, run }), randomBytes(32))
    expect(await keys.revoke({ id: 'vk_r1' }, AT)).toEqual(['vk_r1'])
    expect(await keys.revoke({ organisation, run: 'conv-1' }, '2026-11-22T00:00:00.000Z')).toEqual(['vk_r2'])
    const listed = await keys.list({ organisation })
    expect(listed.map(({ id, revoked_at }) => [id, revoked_at])).toEqual([
      ['vk_r1', AT],
      ['vk_r2', '2026-11-22T00:00:00.000Z'],
      ['vk_r3', undefined],
    ])
  })

  it('revoking with an empty filter is a fault', async () => {
    await expect(keys.revoke({}, AT)).rejects.toThrow('needs a filter')
  })

  it.each([
    [{ project: 'p' }, ['vk_l1']],
    [{ agent: 'other' }, ['vk_l2']],
    [{ role: 'auditor' }, ['vk_l2']],
    [{}, ['vk_l1', 'vk_l2']],
  ])('listing by %o finds exactly those', async (filter, expected) => {
    const organisation = `listing ${JSON.stringify(filter)}`
    const id = (name: string): string => `${name} ${organisation}`
    await keys.insert(vaultKey(id('vk_l1'), { organisation, project: 'p' }), randomBytes(32))
    const other = { id: 'other', role: 'auditor' }
    await keys.insert(vaultKey(id('vk_l2'), { organisation, agent: other }), randomBytes(32))
    expect((await keys.list({ ...filter, organisation })).map((key) => key.id)).toEqual(expected.map(id))
  })

  it.each([
    ['is shortened', '2026-11-21T12:00:00.000Z', '2026-11-21T10:00:00.000Z'],
    ['is set where there was none', undefined, '2026-11-21T10:00:00.000Z'],
    ['is never lengthened', '2026-11-21T09:30:00.000Z', '2026-11-21T09:30:00.000Z'],
  ])('a life %s by rotation', async (name, before, after) => {
    const id = `vk_life ${name}`
    await keys.insert(vaultKey(id, before === undefined ? {} : { expires_at: before }), randomBytes(32))
    await keys.expireBy(id, '2026-11-21T10:00:00.000Z')
    expect((await keys.get(id))?.expires_at).toBe(after)
  })

  it('a credential is replaced, listed and deleted for its provider and organisation alone', async () => {
    const own = { provider: 'stripe', organisation: null, key_version: 1, wrapped: randomBytes(60), created_at: AT }
    const theirs = { ...own, organisation: 'acme', wrapped: Buffer.from([0, 255]) }
    await credentials.put(own)
    await credentials.put({ ...theirs, key_version: 7 })
    await credentials.put(theirs)
    expect(await credentials.get('stripe', null)).toEqual(own)
    expect(await credentials.get('stripe', 'acme')).toEqual(theirs)
    expect(await credentials.get('stripe', 'other')).toBeNull()
    expect(await credentials.list()).toEqual([own, theirs])
    expect(await credentials.delete('stripe', 'acme')).toBe(true)
    expect(await credentials.delete('stripe', 'acme')).toBe(false)
    expect(await credentials.list()).toEqual([own])
  })
})
