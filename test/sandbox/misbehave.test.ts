import { Agent, request } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { running, SECRET } from './harness.ts'

let sandbox: Awaited<ReturnType<typeof running>>
beforeAll(async () => {
  sandbox = await running()
})
beforeEach(() => sandbox.control('POST', 'reset'))
afterAll(() => sandbox.close())

const REFUND = 'charge=ch_123&amount=500'
const refund = (key = 'k1') => sandbox.send('POST', '/v1/refunds', REFUND, { 'Idempotency-Key': key })
/** The code of the error that the socket broke with. */
const broken = (sent: Promise<unknown>): Promise<string> =>
  sent.then(
    () => 'answered',
    (thrown) => thrown.cause?.code ?? thrown.name,
  )
const count = async () => (await sandbox.effects()).length

describe('a rule', () => {
  it.each([
    ['before', 0, null],
    ['after', 1, 'true'],
  ] as const)(
    'resets %s the effect, and a retry with the same key has one effect in all',
    async (moment, early, replayed) => {
      await sandbox.misbehave({ do: `reset_${moment}_effect` })
      expect(await broken(refund())).toBe('ECONNRESET')
      expect(await count()).toBe(early)
      const again = await refund()
      expect(again.status).toBe(200)
      expect(again.headers.get('idempotent-replayed')).toBe(replayed)
      expect(await count()).toBe(1)
      expect((await sandbox.requests()).map(({ status, misbehaved }) => [status, misbehaved])).toEqual([
        [null, `reset_${moment}_effect`],
        [200, null],
      ])
    },
  )

  it('hangs before the effect, with the key in flight until the client gives up', async () => {
    await sandbox.misbehave({ do: 'hang' })
    const gaveUp = new AbortController()
    const hanging = broken(
      fetch(`${sandbox.url}/v1/refunds`, {
        method: 'POST',
        headers: {
          Authorization: `Bearer ${SECRET}`,
          'Content-Type': 'application/x-www-form-urlencoded',
          'Idempotency-Key': 'k1',
        },
        body: REFUND,
        signal: gaveUp.signal,
      }),
    )
    await expect.poll(sandbox.requests).toHaveLength(1)
    expect((await refund()).status).toBe(409)
    gaveUp.abort()
    expect(await hanging).toBe('AbortError')
    await expect.poll(async () => (await refund()).status).toBe(200)
    expect(await count()).toBe(1)
  })

  it('hangs after the effect, and the answer is there for the key', async () => {
    await sandbox.misbehave({ do: 'hang', when: 'after_effect' })
    const hanging = sandbox.stripe({ timeout: 200 }).refunds.create({ charge: 'ch_123' }, { idempotencyKey: 'k9' })
    await expect(hanging).rejects.toMatchObject({ type: 'StripeConnectionError' })
    expect(await count()).toBe(1)
    const again = await sandbox.stripe().refunds.create({ charge: 'ch_123' }, { idempotencyKey: 'k9' })
    expect(again.amount).toBe(20_000)
    expect(await count()).toBe(1)
  })

  it.each(['before_effect', 'after_effect'] as const)('delays %s, and answers then', async (when) => {
    await sandbox.misbehave({ do: 'delay', ms: 1_000, when })
    const delayed = refund()
    await expect.poll(sandbox.requests).toHaveLength(1)
    expect(await count()).toBe(when === 'after_effect' ? 1 : 0)
    expect((await delayed).status).toBe(200)
    expect(await count()).toBe(1)
  })

  it('that delays has its effect even where the client went away', async () => {
    await sandbox.misbehave({ do: 'delay', ms: 1_000 })
    const impatient = sandbox.stripe({ timeout: 100 }).refunds.create({ charge: 'ch_123' }, { idempotencyKey: 'k1' })
    await expect(impatient).rejects.toMatchObject({ type: 'StripeConnectionError' })
    expect(await count()).toBe(0)
    await expect.poll(count, { timeout: 5_000 }).toBe(1)
    const again = await sandbox.stripe().refunds.create({ charge: 'ch_123' }, { idempotencyKey: 'k1' })
    expect(again.amount).toBe(20_000)
  })

  it('whose delay is outlived by a reset has no effect afterwards', async () => {
    await sandbox.misbehave({ do: 'delay', ms: 1_000 })
    const delayed = broken(refund())
    await expect.poll(sandbox.requests).toHaveLength(1)
    await sandbox.control('POST', 'reset')
    expect(await delayed).not.toBe('answered')
    expect(await count()).toBe(0)
  })

  it.each([
    [409, 'lock_timeout', 'StripeAPIError'],
    [429, 'rate_limit', 'StripeRateLimitError'],
    [503, undefined, 'StripeAPIError'],
  ] as const)('answers %i without the effect, and the key is free again', async (status, code, type) => {
    await sandbox.misbehave({ do: 'status', status })
    const failing = sandbox.stripe().refunds.create({ charge: 'ch_123', amount: 500 }, { idempotencyKey: 'k1' })
    await expect(failing).rejects.toMatchObject({ statusCode: status, code, type })
    expect(await count()).toBe(0)
    const { headers } = await refund()
    expect(headers.get('idempotent-replayed')).toBeNull()
    expect(await count()).toBe(1)
  })

  it.each([409, 429, 503] as const)(
    'answers %i after the effect, and the key has the answer that was lost',
    async (status) => {
      await sandbox.misbehave({ do: 'status', status, when: 'after_effect' })
      expect((await refund()).status).toBe(status)
      const again = await refund()
      expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([200, 'true'])
      expect(await count()).toBe(1)
    },
  )

  it('says whether and when to retry', async () => {
    await sandbox.misbehave({ do: 'status', status: 429, should_retry: true, retry_after: 2 })
    const told = await refund()
    expect([told.headers.get('stripe-should-retry'), told.headers.get('retry-after')]).toEqual(['true', '2'])
    await sandbox.misbehave({ do: 'status', status: 500 })
    const silent = await refund('k2')
    expect([silent.headers.get('stripe-should-retry'), silent.headers.get('retry-after')]).toEqual([null, null])
  })

  it("is overcome by the SDK's own retries, with one effect", async () => {
    await sandbox.misbehave({ do: 'reset_after_effect' }, { do: 'status', status: 503 })
    const made = await sandbox.stripe({ maxNetworkRetries: 3 }).refunds.create({ charge: 'ch_123', amount: 500 })
    expect(made.amount).toBe(500)
    expect(await count()).toBe(1)
    const seen = await sandbox.requests()
    expect(seen).toHaveLength(3)
    expect(new Set(seen.map(({ idempotency_key }) => idempotency_key)).size).toBe(1)
  })

  it('redirects elsewhere without the effect', async () => {
    await sandbox.misbehave({ do: 'redirect', url: 'http://127.0.0.1:9/v1/refunds' })
    const { status, headers } = await refund()
    expect([status, headers.get('location')]).toEqual([307, 'http://127.0.0.1:9/v1/refunds'])
    expect(await count()).toBe(0)
  })

  it('answers a huge body, as JSON still', async () => {
    await sandbox.misbehave({ do: 'huge_body', bytes: 3_000_000 })
    const response = await fetch(`${sandbox.url}/v1/balance`, { headers: { Authorization: `Bearer ${SECRET}` } })
    const text = await response.text()
    expect(text.length).toBeGreaterThan(3_000_000)
    expect(JSON.parse(text).object).toBe('balance')
  })

  it('cuts a body short after the effect', async () => {
    await sandbox.misbehave({ do: 'truncated_body' })
    expect(await broken(refund())).not.toBe('answered')
    expect(await count()).toBe(1)
  })

  it('answers what is not JSON after the effect', async () => {
    await sandbox.misbehave({ do: 'invalid_json' })
    await expect(sandbox.stripe().refunds.create({ charge: 'ch_123' })).rejects.toThrow('Invalid JSON received')
    expect(await count()).toBe(1)
  })

  it('drips a body, which is whole in the end', async () => {
    await sandbox.misbehave({ do: 'slow_body', ms: 200 })
    const { status, body } = await refund()
    expect([status, body.amount]).toEqual([200, 500])
  })

  it('closes a kept connection that nothing announced would close', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = () =>
      new Promise<{ connection: string | undefined; port: number | undefined; closed: Promise<void> }>(
        (resolve, reject) => {
          const asked = request(`${sandbox.url}/v1/balance`, { agent, headers: { Authorization: `Bearer ${SECRET}` } })
          asked.on('error', reject).on('response', (response) => {
            const { socket } = response
            const closed = new Promise<void>((done) => socket.once('close', () => done()))
            const port = socket.localPort
            response.resume().on('end', () => resolve({ connection: response.headers.connection, port, closed }))
          })
          asked.end()
        },
      )
    await sandbox.misbehave({ do: 'close_keepalive', match: { after: 1 } })
    const [one, two] = [await ask(), await ask()]
    expect(two.port).toBe(one.port)
    expect(two.connection).toBe('keep-alive')
    await two.closed
    expect((await ask()).port).not.toBe(one.port)
    agent.destroy()
  })
})

describe('a rule applies', () => {
  const hits = async (match: object, times = 10) => {
    await sandbox.misbehave({ do: 'status', status: 503, match, times })
    const statuses: number[] = []
    for (const [method, path] of [
      ['GET', '/v1/charges'],
      ['GET', '/v1/charges/ch_123'],
      ['POST', '/v1/charges/ch_123'],
      ['GET', '/v1/customers?limit=1'],
    ] as const) {
      statuses.push((await sandbox.send(method, path, method === 'POST' ? 'metadata[a]=b' : undefined)).status)
    }
    return statuses.map((status) => status === 503)
  }

  it.each([
    ['to everything', {}, 10, [true, true, true, true]],
    ['to a method, in any case', { method: 'post' }, 10, [false, false, true, false]],
    ['to a prefix of the path', { path: '/v1/charges' }, 10, [true, true, true, false]],
    ['to a glob', { path: '/v1/*/ch_*' }, 10, [false, true, true, false]],
    ['to an end of the path, whatever the query', { path: '*customers' }, 10, [false, false, false, true]],
    ['after so many', { path: '/v1/charges', after: 1 }, 10, [false, true, true, false]],
    ['so many times', {}, 2, [true, true, false, false]],
    ['after and so many times', { after: 1 }, 1, [false, true, false, false]],
  ] as const)('%s', async (_, match, times, expected) => {
    expect(await hits(match, times)).toEqual(expected)
  })

  it('until it is taken away', async () => {
    await sandbox.misbehave({ do: 'status', status: 503, times: 10 })
    expect((await refund()).status).toBe(503)
    expect((await sandbox.control('GET', 'misbehave')).body).toMatchObject([{ do: 'status', applied: 1, times: 10 }])
    await sandbox.control('DELETE', 'misbehave')
    expect((await refund()).status).toBe(200)
  })
})

describe('a rule is refused', () => {
  it.each([
    ['that does what is not known', { do: 'explode' }, 'rule 0: `do` is one of'],
    ['with a field that is not known', { do: 'hang', path: '/v1' }, 'rule 0: unknown fields: path'],
    ['with a moment that is not known', { do: 'hang', when: 'later' }, 'rule 0: `when` is one of'],
    ['with a status that it cannot answer', { do: 'status', status: 418 }, 'rule 0: `status` is one of'],
    ['that redirects nowhere', { do: 'redirect' }, 'rule 0: `url` is the absolute URL'],
    ['with a time that is none', { do: 'delay', ms: -1 }, 'rule 0: `ms` is a whole number'],
    ['that is no object', 'hang', 'rule 0: a rule is an object'],
  ] as const)('%s', async (_, rule, words) => {
    const { status, body } = await sandbox.control('POST', 'misbehave', [rule])
    expect(status).toBe(400)
    expect(body.error).toContain(words)
    expect((await sandbox.control('GET', 'misbehave')).body).toEqual([])
  })
})
