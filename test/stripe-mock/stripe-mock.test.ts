import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { POLICY } from '../cases/policy.ts'
import { type Answered, type Key, openWorld, type World } from '../gateway/world.ts'
import { minimal } from './minimal.ts'
import { type StripeMock, startStripeMock } from './stripe-mock.ts'

interface Offered {
  readonly operation: string
  readonly effect: string
  readonly params: Parameters<typeof minimal>[0]
}

const read = (file: string) => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'))
/**
 * Operation → the refusal. The catalogue says that these cannot be called: a file travels as multipart, and nothing is
 * described of a terminal refund. A quote's PDF is no JSON, so it counts as no answer.
 */
const EXCEPTIONS: Readonly<Record<string, string>> = read('exceptions.json')
/** What an operation wants beyond its schema: its price must be known, or at least one of several params be there. */
const MORE: Readonly<Record<string, object>> = read('params.json')
const AT_ONCE = 8

describe("against Stripe's own mock", () => {
  let mock: StripeMock
  let world: World
  beforeAll(async () => {
    mock = await startStripeMock()
    world = await openWorld('embedded', { policy: POLICY, upstream: mock.url })
  })
  afterAll(async () => {
    await world?.close()
    await mock?.close()
  })

  const refund = (key: Key, amount: number) =>
    world.byName('create_refund', { params: { charge: 'ch_123', amount } }, { key })

  it('list_customers is allowed, by name and by route', async () => {
    const key = await world.issue({ agent: { id: 'agent-1' } })
    expect((await world.byName('list_customers', { params: { limit: 3 } }, { key })).body.data.object).toBe('list')
    expect((await world.dropIn('GET', '/v1/customers?limit=3', { key })).body.object).toBe('list')
  })

  it('create_refund is denied without a rule; with one, 5000 is allowed and 5001 denied', async () => {
    const anybody = await world.issue({ agent: { id: 'agent-1' } })
    const denied = await refund(anybody, 5000)
    expect(denied.status).toBe(403)
    expect(denied.body).toMatchObject({ code: 'policy_denied', fix: expect.any(String), reasons: [expect.anything()] })
    const key = await world.issue({ agent: { id: 'agent-2', role: 'support-tier-1' } })
    expect((await refund(key, 5001)).body).toMatchObject({ code: 'policy_denied' })
    expect((await refund(key, 5000)).body).toMatchObject({ decision: 'allow', data: { object: 'refund' } })
  })

  it('every operation of the catalogue comes through with its least params, but for those named', async () => {
    const key = await world.issue({ agent: { id: 'agent-3', role: 'cashier' } })
    const offered: Offered[] = (await world.ask('/v1/operations', { key })).body.operations
    const call = async ({ operation, params }: Offered): Promise<readonly [string, Answered]> => [
      operation,
      await world.byName(operation, { params: { ...(minimal(params) as object), ...MORE[operation] } }, { key }),
    ]
    const refused: Record<string, string> = {}
    for (let at = 0; at < offered.length; at += AT_ONCE) {
      for (const [operation, { status, body }] of await Promise.all(offered.slice(at, at + AT_ONCE).map(call)))
        if (status !== 200) refused[operation] = body.code ?? body.error?.error?.message
    }
    expect(refused).toEqual(EXCEPTIONS)
    expect(offered.filter(({ effect }) => effect === 'read')).toHaveLength(265)
    expect(offered.length - Object.keys(refused).length).toBe(591)
  })
})
