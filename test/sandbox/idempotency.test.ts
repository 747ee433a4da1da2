import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { IdempotencyKeys } from '../../src/sandbox/idempotency.ts'
import { running } from './harness.ts'

let sandbox: Awaited<ReturnType<typeof running>>
beforeAll(async () => {
  sandbox = await running()
})
beforeEach(() => sandbox.control('POST', 'reset'))
afterAll(() => sandbox.close())

const REFUND = 'charge=ch_123&amount=500'
const post = (path: string, form: string, key: string, headers: Record<string, string> = {}) =>
  sandbox.send('POST', path, form, { 'Idempotency-Key': key, ...headers })

describe('an idempotency key', () => {
  it('answers the same status and body again, marked as replayed, with one effect', async () => {
    const first = await post('/v1/refunds', REFUND, 'k1')
    const again = await post('/v1/refunds', REFUND, 'k1')
    expect(first.status).toBe(200)
    expect(again.status).toBe(200)
    expect(again.body).toEqual(first.body)
    expect(first.headers.get('idempotent-replayed')).toBeNull()
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(again.headers.get('idempotency-key')).toBe('k1')
    expect(again.headers.get('original-request')).toBe(first.headers.get('request-id'))
    expect(again.headers.get('request-id')).not.toBe(first.headers.get('request-id'))
    expect(await sandbox.effects()).toHaveLength(1)
    expect((await sandbox.requests()).map(({ effect, replayed }) => ({ effect, replayed }))).toEqual([
      { effect: true, replayed: false },
      { effect: false, replayed: true },
    ])
  })

  it('knows the same params in another order', async () => {
    await post('/v1/refunds', REFUND, 'k1')
    const again = await post('/v1/refunds', 'amount=500&charge=ch%5F123', 'k1')
    expect(again.headers.get('idempotent-replayed')).toBe('true')
  })

  it.each([
    ['other params', '/v1/refunds', 'charge=ch_123&amount=501', 'same parameters'],
    ['another endpoint', '/v1/charges', REFUND, 'same endpoint'],
  ] as const)('refuses %s with 400 idempotency_error', async (_, path, form, words) => {
    await post('/v1/refunds', REFUND, 'k1')
    const { status, body } = await post(path, form, 'k1')
    expect(status).toBe(400)
    expect(body.error.type).toBe('idempotency_error')
    expect(body.error.message).toContain(words)
    expect(await sandbox.effects()).toHaveLength(1)
  })

  it('is a 409 while its first request is in flight, and replays afterwards', async () => {
    await sandbox.misbehave({ do: 'delay', ms: 1_000 })
    const first = post('/v1/refunds', REFUND, 'k1')
    await expect.poll(sandbox.requests).toHaveLength(1)
    const twin = await post('/v1/refunds', REFUND, 'k1')
    expect(twin.status).toBe(409)
    expect(twin.body.error).toMatchObject({ type: 'invalid_request_error', code: 'idempotency_key_in_use' })
    expect(twin.headers.get('stripe-should-retry')).toBe('true')
    const { body } = await first
    const later = await post('/v1/refunds', REFUND, 'k1')
    expect(later.body).toEqual(body)
    expect(await sandbox.effects()).toHaveLength(1)
  })

  it.each([
    ['a missing param', '/v1/charges', 'amount=500', 400],
    ['an invalid integer', '/v1/refunds', 'charge=ch_123&amount=x', 400],
    ['an unknown route', '/v1/nothing', 'a=b', 404],
  ] as const)('is not used up by %s', async (_, path, form, status) => {
    expect((await post(path, form, 'k1')).status).toBe(status)
    const { status: then, headers } = await post('/v1/refunds', REFUND, 'k1')
    expect(then).toBe(200)
    expect(headers.get('idempotent-replayed')).toBeNull()
  })

  it('remembers a declined card', async () => {
    const form = 'amount=500&currency=usd&source=tok_chargeDeclined'
    const first = await post('/v1/charges', form, 'k1')
    const again = await post('/v1/charges', form, 'k1')
    expect([first.status, again.status]).toEqual([402, 402])
    expect(again.body).toEqual(first.body)
    expect(again.headers.get('idempotent-replayed')).toBe('true')
    expect(await sandbox.effects()).toHaveLength(1)
  })

  it('remembers a 500, with its effect and without', async () => {
    for (const when of ['before_effect', 'after_effect'] as const) {
      await sandbox.misbehave({ do: 'status', status: 500, when })
      expect((await post('/v1/refunds', REFUND, when)).status).toBe(500)
      const again = await post('/v1/refunds', REFUND, when)
      expect(again.status).toBe(500)
      expect(again.headers.get('idempotent-replayed')).toBe('true')
    }
    expect((await sandbox.effects()).map(({ idempotency_key }) => idempotency_key)).toEqual(['after_effect'])
  })

  it('is scoped to its account', async () => {
    const form = 'email=a@example.com'
    const here = await post('/v1/customers', form, 'k1')
    const there = await post('/v1/customers', form, 'k1', { 'Stripe-Account': 'acct_123' })
    expect(there.body.id).not.toBe(here.body.id)
    expect((await sandbox.effects()).map(({ account }) => account)).toEqual(['platform', 'acct_123'])
  })

  it('means nothing on a GET', async () => {
    const read = () => sandbox.send('GET', '/v1/charges/ch_123', undefined, { 'Idempotency-Key': 'k1' })
    await read()
    expect((await read()).headers.get('idempotent-replayed')).toBeNull()
  })

  it('may have 255 characters and no more', async () => {
    expect((await post('/v1/refunds', REFUND, 'k'.repeat(255))).status).toBe(200)
    expect((await post('/v1/refunds', REFUND, 'k'.repeat(256))).body.error.type).toBe('idempotency_error')
  })

  it('is forgotten after 24 hours', () => {
    const keys = new IdempotencyKeys()
    const begin = (now: number) => keys.begin('platform', 'k1', '/v1/refunds', REFUND, now)
    const saved = { status: 200, body: '{}', request_id: 'req_1' }
    const claim = begin(0)
    if (!('save' in claim)) throw new Error('a first use must be a claim')
    claim.save(saved)
    expect(begin(24 * 3_600_000 - 1)).toBe(saved)
    expect(begin(24 * 3_600_000)).toHaveProperty('forget')
  })
})
