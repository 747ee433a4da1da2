/** The official npm package, unmodified, pointed at the gateway's root: its own classes for what the gateway says. */
import { Agent } from 'node:http'
import { type AddressInfo, connect, createServer } from 'node:net'
import Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { POLICY } from '../cases/policy.ts'
import { checkInvariants, now } from './invariants.ts'
import { ENGINES, type Key, openWorld, type World } from './world.ts'

const { StripeAuthenticationError, StripeIdempotencyError, StripeInvalidRequestError, StripePermissionError } =
  Stripe.errors
const { StripeCardError } = Stripe.errors

describe.each(ENGINES)('on %s', (engine) => {
  let world: World
  let seen: { status: number; path: string }[] = []

  beforeAll(async () => {
    world = await openWorld(engine, { policy: POLICY })
  })
  afterAll(() => world?.close())

  /** Retries by its own rules; every answer that it gets is noted. */
  const client = (key: Key | string, config: Partial<Stripe.StripeConfig> = {}): Stripe => {
    const { hostname, port } = new URL(world.gateway.agent_url)
    const secret = typeof key === 'string' ? key : key.secret
    seen = []
    const stripe = new Stripe(secret, {
      host: hostname,
      port,
      protocol: 'http',
      maxNetworkRetries: 2,
      telemetry: false,
      ...config,
    })
    stripe.on('response', ({ status, path }: Stripe.ResponseEvent) => seen.push({ status, path }))
    return stripe
  }
  const refused = async (call: Promise<unknown>): Promise<Stripe.errors.StripeError> => {
    const error = await call.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(Stripe.errors.StripeError)
    return error as Stripe.errors.StripeError
  }
  const chargeFor = async (key: Key): Promise<string> => {
    await world.plant({ charges: [{ id: `ch_${key.id}`, amount: 9000, currency: 'usd', customer: 'cus_123' }] })
    return `ch_${key.id}`
  }

  it('customers.list is answered as by the provider', async () => {
    const key = await world.issue({ agent: { id: 'agent-1' } })
    const { data, lastResponse } = await client(key).customers.list({ limit: 2 })
    expect(data).toHaveLength(2)
    expect(lastResponse.headers['countersign-event-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(lastResponse.requestId).toMatch(/^req_/)
  })

  it('lists page by themselves', async () => {
    const key = await world.issue({ agent: { id: 'agent-1' } })
    const ids: string[] = []
    for await (const { id } of client(key).charges.list({ limit: 2 })) ids.push(id)
    expect(ids.length).toBeGreaterThan(3)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('refunds.create that policy denies raises StripePermissionError, once', async () => {
    const key = await world.issue({ agent: { id: 'agent-1' } })
    const charge = await chargeFor(key)
    const error = await refused(client(key).refunds.create({ charge, amount: 500 }))
    expect(error).toBeInstanceOf(StripePermissionError)
    expect(error.code).toBe('policy_denied')
    expect(error.message).toContain('allow rule')
    expect(seen.map(({ status }) => status)).toEqual([403])
    const rows = await world.rows({ key: key.id, operation: 'create_refund' })
    expect(rows.map(({ reason }) => reason)).toEqual(['policy_denied'])
    expect(rows[0]!.event_id).toBe(error.requestId)
  })

  it('refunds.create that a rule allows makes the refund', async () => {
    const key = await world.issue({ agent: { id: 'agent-1', role: 'support-tier-1' } })
    const charge = await chargeFor(key)
    const refund = await client(key).refunds.create({ charge, amount: 5000, metadata: { order: '7' } })
    expect(refund).toMatchObject({ object: 'refund', amount: 5000, charge, metadata: { order: '7' } })
  })

  it('a spend cap raises StripePermissionError that says cap', async () => {
    const key = await world.issue({ agent: { id: 'agent-1', role: 'cashier' }, daily_cap_usd: 1 })
    const error = await refused(client(key).charges.create({ amount: 101, currency: 'usd', customer: 'cus_123' }))
    expect(error).toBeInstanceOf(StripePermissionError)
    expect(error.code).toBe('spend_cap_exceeded')
    expect(error.message).toContain('cap')
    expect(seen.map(({ status }) => status)).toEqual([403])
  })

  it('an idempotency key with other params raises StripeIdempotencyError, once', async () => {
    const key = await world.issue({ agent: { id: 'agent-1', role: 'cashier' } })
    const charge = await chargeFor(key)
    const stripe = client(key)
    await stripe.refunds.create({ charge, amount: 100 }, { idempotencyKey: 'order-1' })
    seen = []
    const error = await refused(stripe.refunds.create({ charge, amount: 200 }, { idempotencyKey: 'order-1' }))
    expect(error).toBeInstanceOf(StripeIdempotencyError)
    expect(seen.map(({ status }) => status)).toEqual([400])
  })

  it('an idempotency key with the same params gets the first answer', async () => {
    const since = await now(world)
    const key = await world.issue({ agent: { id: 'agent-1', role: 'cashier' } })
    const charge = await chargeFor(key)
    const stripe = client(key)
    const first = await stripe.refunds.create({ charge, amount: 100 }, { idempotencyKey: 'order-1' })
    const again = await stripe.refunds.create({ charge, amount: 100 }, { idempotencyKey: 'order-1' })
    expect(again.id).toBe(first.id)
    expect(again.lastResponse.headers['countersign-replayed']).toBe('true')
    expect(await world.effects(since.effects)).toHaveLength(1)
    await checkInvariants(world, since)
  })

  it.each([
    ['a key that does not exist', 'cs_nonsense'],
    ["the provider's own key", 'sk_test_sandbox'],
    ['a live key', 'sk_live_0123456789'],
  ])('%s raises StripeAuthenticationError, once', async (_, secret) => {
    const error = await refused(client(secret).customers.list())
    expect(error).toBeInstanceOf(StripeAuthenticationError)
    expect(error.message).not.toContain(secret)
    expect(seen.map(({ status }) => status)).toEqual([401])
  })

  it("the provider's own errors keep their classes", async () => {
    const key = await world.issue({ agent: { id: 'agent-1', role: 'cashier' } })
    const stripe = client(key)
    expect(await refused(stripe.charges.retrieve('ch_nowhere'))).toMatchObject({
      code: 'resource_missing',
      statusCode: 404,
    })
    expect(await refused(stripe.charges.create({ amount: 100, currency: 'usd', customer: 'cus_789' }))).toBeInstanceOf(
      StripeCardError,
    )
    expect(await refused(stripe.charges.create({ amount: 100, currency: 'zzz', customer: 'cus_123' }))).toBeInstanceOf(
      StripeInvalidRequestError,
    )
  })

  it('its own retries, under its own key, are one call with one effect', async () => {
    const since = await now(world)
    const key = await world.issue({ agent: { id: 'agent-1', role: 'cashier' } })
    const gateway = new URL(world.gateway.agent_url)
    let cuts = 0
    // The gateway's answer is lost on its way to the client, twice.
    const relay = createServer((socket) => {
      const behind = connect(Number(gateway.port), gateway.hostname)
      for (const end of [socket, behind]) end.on('error', () => end.destroy())
      socket.pipe(behind)
      if (cuts++ >= 2) behind.pipe(socket)
      else
        behind.once('data', () => {
          socket.resetAndDestroy()
          behind.destroy()
        })
    })
    await new Promise<void>((ready) => relay.listen(0, '127.0.0.1', ready))
    const { port } = relay.address() as AddressInfo
    const stripe = client(key, { port, httpAgent: new Agent({ keepAlive: false }) })
    const charge = await stripe.charges.create({ amount: 100, currency: 'usd', customer: 'cus_123' })
    relay.close()
    expect(cuts).toBe(3)
    const effects = await world.effects(since.effects)
    expect(effects.map(({ object }) => object)).toEqual([charge.id])
    expect(effects[0]!.idempotency_key).toBe(`cs-${charge.lastResponse.headers['countersign-event-id']}`)
    const rows = await world.rows({ key: key.id, operation: 'create_charge' })
    expect(rows.map(({ kind }) => kind)).toEqual(['decision', 'outcome', 'replay', 'replay'])
    await checkInvariants(world, since)
  })
})
