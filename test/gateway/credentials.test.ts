/** An upstream credential that an operator stores: written down first, sealed at rest, and never shown. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openWorld, type World } from './world.ts'

describe('PUT /admin/credentials/{provider}', () => {
  let world: World
  beforeAll(async () => {
    world = await openWorld('embedded', { policy: { 'tool_decision.rego': 'package tool_decision\n' } })
  })
  afterAll(() => world.close())

  const ask = (path: string, init?: RequestInit) => {
    const [gateway] = world.gateways
    return fetch(`${gateway!.admin_url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${gateway!.admin_token}` },
    })
  }
  const put = (provider: string, body: object) =>
    ask(`/admin/credentials/${provider}`, { method: 'PUT', body: JSON.stringify(body) })

  it('stores it, with a row that does not hold it', async () => {
    expect((await put('stripe', { organisation: 'acme', secret: 'sk_test_ofAcmeItself' })).status).toBe(204)
    const { events } = (await (await ask('/admin/audit?kind=credential_stored')).json()) as { events: object[] }
    expect(events).toMatchObject([{ kind: 'credential_stored', provider: 'stripe', organisation: 'acme' }])
    expect(JSON.stringify(events)).not.toContain('ofAcmeItself')
  })

  it('refuses a provider that is not there, and a secret that is none', async () => {
    expect((await put('nowhere', { secret: 'x' })).status).toBe(404)
    expect((await put('stripe', {})).status).toBe(400)
  })
})
