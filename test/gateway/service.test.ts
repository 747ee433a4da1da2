/** What both planes serve beside their work: health, readiness, metrics, the routes and their page. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { REFUSALS } from '../../src/model/refusal.ts'
import { POLICY } from '../cases/policy.ts'
import { type Key, openWorld, type World } from './world.ts'

let world: World
let key: Key
let planes: readonly string[]
beforeAll(async () => {
  world = await openWorld('embedded', { policy: POLICY })
  key = await world.issue({ agent: { id: 'agent-1' } })
  planes = [world.gateway.agent_url, world.gateway.admin_url]
})
afterAll(() => world?.close())

// biome-ignore lint/suspicious/noExplicitAny: read field by field in assertions
const json = async (url: string): Promise<any> => (await fetch(url)).json()

describe('health', () => {
  it('is answered without a credential, on both planes', async () => {
    for (const plane of planes) expect(await json(`${plane}/healthz`)).toEqual({ status: 'ok' })
  })

  it('readiness tells the parts, the policy in force and the engine', async () => {
    for (const plane of planes)
      expect(await json(`${plane}/readyz`)).toMatchObject({
        ready: true,
        draining: false,
        audit: 'ok',
        counters: 'ok',
        policy_revision: world.gateway.policy_revision,
        engine: expect.stringContaining('memory'),
      })
  })
})

describe('metrics', () => {
  const countOf = async (series: string): Promise<number> => {
    const text = await (await fetch(`${world.gateway.admin_url}/metrics`)).text()
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.slice(series.length) ?? 0,
    )
  }

  it.each([
    ['an answer', 'list_customers', 'operation="list_customers",result="succeeded"', 'stripe'],
    ['a denial, by its code', 'create_customer', 'operation="create_customer",result="policy_denied"', 'stripe'],
    [
      'a name that a stranger made up, under no name',
      'x_y_z',
      'operation="unresolved",result="unknown_operation"',
      'unresolved',
    ],
  ])('count %s', async (_, operation, labels, provider) => {
    const series = `countersign_calls_total{provider="${provider}",${labels}}`
    const before = await countOf(series)
    await world.byName(operation, { params: {} }, { key })
    expect(await countOf(series)).toBe(before + 1)
  })

  it('tell that nothing is on its way at rest', async () => {
    expect(await countOf('countersign_calls_in_flight')).toBe(0)
  })
})

describe('the description of the routes', () => {
  it('names every code of a refusal', async () => {
    const { openapi, components } = await json(`${world.gateway.agent_url}/openapi.json`)
    expect(openapi).toBe('3.1.0')
    expect(components.schemas.Problem.properties.code.enum).toEqual(Object.keys(REFUSALS))
  })

  it('refers to nothing that is not in it', async () => {
    const document = await json(`${world.gateway.agent_url}/openapi.json`)
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"(#\/[^"]+)"/g)].map(([, ref]) => ref!)
    expect(refs.length).toBeGreaterThan(0)
    const found = (ref: string) =>
      ref
        .split('/')
        .slice(1)
        .reduce((at, step) => at?.[step], document)
    expect(refs.filter((ref) => found(ref) === undefined)).toEqual([])
  })
})

describe('the page of the routes', () => {
  it('is whole without another host', async () => {
    for (const plane of planes) {
      const page = await fetch(`${plane}/docs`)
      expect(page.headers.get('content-security-policy')).toContain("default-src 'self'")
      const html = await page.text()
      const parts = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, part]) => part!)
      expect(parts.length).toBeGreaterThan(1)
      for (const part of parts) {
        expect(part).toMatch(/^\/docs\//)
        const { status, headers } = await fetch(plane + part)
        expect([status, headers.get('content-type')]).toEqual([
          200,
          part.endsWith('.css') ? 'text/css' : 'text/javascript',
        ])
      }
    }
  })

  it('of errors has each code under its anchor', async () => {
    const html = await (await fetch(`${world.gateway.agent_url}/docs/errors`)).text()
    expect(Object.keys(REFUSALS).filter((code) => !html.includes(`id="${code}"`))).toEqual([])
  })
})
