import { afterEach, describe, expect, it } from 'vitest'
import { createUpstream, STRIPE } from '../../src/forward/index.ts'
import { rig, SECRET } from './operations.ts'
import { deadOrigin, provider, type Step } from './provider.ts'

const close: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of close.splice(0).reverse()) await end()
})
const reach = (origin: string, ...more: [credential?: () => Promise<string | null>]) => {
  const made = rig(origin, { read_ms: 500 }, ...more)
  close.push(made.upstream.close)
  return made.upstream
}

describe('an origin', () => {
  const make = (origin: string, headers = {}) =>
    createUpstream({ origin, headers, rules: STRIPE, credential: async () => null, log: { warn: () => {} } })

  it.each([
    'https://api.stripe.com',
    'https://api.stripe.com:8443/',
    'http://127.0.0.1:9',
    'http://localhost:9',
    'http://[::1]:9',
  ])('%s is taken', async (origin) => {
    await make(origin).close()
  })

  it.each([
    ['http://api.stripe.com', 'plain http is for loopback only'],
    ['http://127.0.0.1.evil.example', 'plain http is for loopback only'],
    ['http://localhost.evil.example', 'plain http is for loopback only'],
    ['ftp://127.0.0.1', 'neither https nor http'],
    ['api.stripe.com', 'is not a URL'],
    ['https://api.stripe.com/v1', 'more than scheme, host and port'],
    ['https://api.stripe.com?x=1', 'more than scheme, host and port'],
  ])('%s is refused', (origin, why) => {
    expect(() => make(origin)).toThrow(why)
  })

  it('with a password is refused, and not quoted', () => {
    expect(() => make(`https://key:${SECRET}@api.stripe.com`)).toThrow(/user or password/)
    expect(() => make(`https://key:${SECRET}@api.stripe.com`)).not.toThrow(SECRET)
  })

  it.each(['authorization', 'idempotency-key', 'host', 'content-length', 'Stripe-Version'])(
    'is not given a fixed header %s',
    (name) => {
      expect(() => make('https://api.stripe.com', { [name]: 'x' })).toThrow(name)
    },
  )
})

describe('a look-up', () => {
  const charge = { answer: 200, body: { id: 'ch_1', amount: 500 } } as const
  const CASES: readonly {
    readonly name: string
    readonly script: readonly Step[]
    readonly requests: number
    readonly result: object
  }[] = [
    { name: 'answers the object', script: [charge], requests: 1, result: { id: 'ch_1', amount: 500 } },
    {
      name: 'that is reset once is tried again',
      script: [{ reset: 'before the answer' }, charge],
      requests: 2,
      result: { id: 'ch_1' },
    },
    {
      name: 'of what is not there refuses the call, as policy cannot judge it',
      script: [{ answer: 404, body: { error: {} } }],
      requests: 1,
      result: {
        refused: true,
        code: 'enrichment_failed',
        detail: 'GET /v1/charges/ch_1: HTTP 404: the provider has no such object.',
      },
    },
    {
      name: 'that is rejected refuses the call',
      script: [{ answer: 400, body: { error: {} } }],
      requests: 1,
      result: { refused: true, code: 'enrichment_failed' },
    },
    {
      name: 'that fails twice says that the provider was not reached',
      script: [{ answer: 500 }],
      requests: 2,
      result: { refused: true, code: 'upstream_failed' },
    },
    {
      name: 'without an answer in time says so',
      script: [{ hang: 'for ever' }],
      requests: 2,
      result: { refused: true, code: 'upstream_failed' },
    },
    {
      name: 'that is answered with a list is no object',
      script: [{ answer: 200, body: [1] }],
      requests: 2,
      result: { refused: true, code: 'upstream_failed' },
    },
    {
      name: 'follows no redirect',
      script: [{ answer: 302, headers: { location: '/v1/charges/ch_2' } }, { answer: 302 }],
      requests: 2,
      result: { refused: true, code: 'upstream_failed' },
    },
  ]

  it.each(CASES)('$name', async ({ script, requests, result }) => {
    const served = await provider(script)
    close.push(served.close)
    expect(await reach(served.origin).read('/v1/charges/ch_1', 'acme')).toMatchObject(result)
    expect(served.requests).toHaveLength(requests)
    for (const request of served.requests) {
      expect(request).toMatch(/^GET \/v1\/charges\/ch_1 HTTP/)
      expect(request).not.toMatch(/idempotency-key/i)
    }
  })

  it('towards nothing says that the provider was not reached', async () => {
    expect(await reach(await deadOrigin()).read('/v1/charges/ch_1', 'acme')).toMatchObject({
      refused: true,
      code: 'upstream_failed',
    })
  })

  it('without a credential says which', async () => {
    const upstream = reach(await deadOrigin(), async () => null)
    expect(await upstream.read('/v1/charges/ch_1', 'acme')).toMatchObject({ refused: true, code: 'credential_missing' })
  })

  it.each(['http://evil.example/', '//evil.example'])('never names a host: %s', async (path) => {
    const served = await provider([charge])
    close.push(served.close)
    expect(await reach(served.origin).read(path, 'acme')).toMatchObject({ refused: true })
    expect(served.connections()).toBe(0)
  })

  it('after close is refused', async () => {
    const upstream = reach(await deadOrigin())
    await upstream.close()
    expect(await upstream.read('/v1/charges/ch_1', 'acme')).toMatchObject({ refused: true, code: 'draining' })
  })
})
