/** What a decision obliges the gateway to, seen from outside: rows, replays, counters and effects. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ENGINES, openWorld, type World } from './world.ts'

const POLICY = `package tool_decision

import rego.v1

allow if input.agent.role == "cashier"

obligations contains {"tags": {"team": "billing"}, "redact": ["metadata.note"]} if input.params.metadata

obligations contains {"repeat_window_s": 4} if input.agent.id == "forgetful"

obligations contains {"budgets": [{"scope": "customer", "window": "day", "cap": 250, "currency": "usd"}]} if {
	input.agent.id == "capped"
}

obligations contains {"budgets": [{"scope": "customer", "window": "fortnight", "cap": 250, "currency": "usd"}]} if {
	input.agent.id == "mistaken"
}

obligations contains {"budgets": [{"scope": "agent", "window": "day", "cap": 250, "currency": "gbp"}]} if {
	input.agent.id == "without-a-rate"
}

allow_guarded contains "transfer_data" if input.agent.id == "marketplace"
`

/** Long enough for the first call to pass on a busy machine. */
const GRANTED_MS = 6_000
const expires = new Date(Date.now() + 86_400_000)

const grants = (end: Date) => `project: granted
agents: [teller]
grants:
  - service: stripe
    actions: [charges:create]
    expires: ${end.toISOString()}
    grant_id: g-1
`

describe.each(ENGINES)('on %s', (engine) => {
  let world: World
  beforeAll(async () => {
    world = await openWorld(engine, {
      policy: { 'tool_decision.rego': POLICY, '../policies/granted.yaml': grants(expires) },
    })
  })
  afterAll(() => world?.close())

  const cashier = (id: string, role = 'cashier') => world.issue({ agent: { id, role } })
  const charge = (key: Awaited<ReturnType<typeof cashier>>, call: object = {}, params: object = {}) =>
    world.byName(
      'create_charge',
      { params: { amount: 100, currency: 'usd', customer: 'cus_123', ...params }, ...call },
      { key },
    )

  it('a field that policy redacts reaches the provider and no row, a repeat and a denial included', async () => {
    const metadata = { note: 'the customer is ill', order: '7' }
    const key = await cashier('till-1')
    const first = await charge(key, {}, { metadata })
    expect(first.body).toMatchObject({ status: 200, data: { metadata } })
    const again = await charge(key, {}, { metadata })
    expect(again.body).toMatchObject({ event_id: first.body.event_id, replayed: true })
    const stranger = await cashier('visitor', 'nobody')
    const denied = await charge(stranger, {}, { metadata })
    expect(denied.body.code).toBe('policy_denied')

    const rows = await world.rows({ event_id: first.body.event_id })
    expect(rows.map(({ kind }) => kind)).toEqual(['decision', 'outcome', 'replay'])
    for (const row of [...rows, ...(await world.rows({ event_id: denied.body.event_id }))]) {
      expect(row.params).toMatchObject({ metadata: { note: '[redacted]', order: '7' } })
      if (row.kind === 'decision') expect(row.tags).toMatchObject({ team: 'billing' })
    }
  })

  it('a shorter window ends a replay sooner, and no other', async () => {
    const [forgetful, other] = [await cashier('forgetful'), await cashier('till-2')]
    const firsts = [await charge(forgetful), await charge(other)]
    const repeats = [await charge(forgetful), await charge(other)]
    expect(repeats.map(({ body }) => body.event_id)).toEqual(firsts.map(({ body }) => body.event_id))
    await sleep(4_500)
    const later = [await charge(forgetful), await charge(other)]
    expect(later[0]!.body).toMatchObject({ status: 200, replayed: false })
    expect(later[0]!.body.event_id).not.toBe(firsts[0]!.body.event_id)
    expect(later[1]!.body).toMatchObject({ event_id: firsts[1]!.body.event_id, replayed: true })
  })

  it('a call id is answered from the record for ever, whatever the window', async () => {
    const key = await cashier('forgetful')
    const first = await charge(key, { call_id: 'c1' })
    await sleep(4_500)
    const again = await charge(key, { call_id: 'c1' })
    expect(again.body).toMatchObject({ event_id: first.body.event_id, replayed: true })
  })

  it('an extra budget is reserved in the same step: ten at once, and two fit', async () => {
    const key = await cashier('capped')
    const before = (await world.effects()).length
    const calls = await Promise.all(Array.from({ length: 10 }, (_, at) => charge(key, { occurrence: at + 1 })))
    expect(calls.map(({ body }) => body.code ?? 'passed').sort()).toEqual([
      'passed',
      'passed',
      ...Array(8).fill('spend_cap_exceeded'),
    ])
    expect((await world.effects()).length - before).toBe(2)
    const dry = await charge(key, { dry_run: true, occurrence: 11 })
    expect(dry.body.code).toBe('spend_cap_exceeded')
    const colleague = await world.issue({ organisation: key.organisation, agent: { id: 'till-3', role: 'cashier' } })
    expect((await charge(colleague)).status).toBe(200)
  })

  it('what draws on an extra budget and fails gives it back', async () => {
    const key = await cashier('capped')
    const declined = await charge(key, {}, { customer: 'cus_789', amount: 250 })
    expect(declined.status).toBe(402)
    const next = await charge(key, { occurrence: 2 }, { customer: 'cus_789', amount: 250 })
    expect(next.status).toBe(402)
  })

  it('an extra budget in a currency without a rate refuses the call', async () => {
    const refused = await charge(await cashier('without-a-rate'))
    expect(refused.body.code).toBe('currency_without_rate')
  })

  it('an obligation that nobody can keep refuses the call', async () => {
    const before = (await world.effects()).length
    const key = await cashier('mistaken')
    const refused = await charge(key)
    expect(refused).toMatchObject({ status: 503, body: { code: 'policy_unavailable' } })
    expect(await world.rows({ event_id: refused.body.event_id })).toMatchObject([
      { decision: 'deny', reason: 'policy_unavailable' },
    ])
    expect((await world.effects()).length).toBe(before)
  })

  it('a param that sends money elsewhere is denied, however the call is allowed, until a rule names it', async () => {
    const before = (await world.effects()).length
    const transfer_data = { destination: 'acct_1' }
    const denied = await charge(await cashier('till-4'), {}, { transfer_data })
    expect(denied.body).toMatchObject({ code: 'policy_denied', reasons: [{ code: 'guarded_param' }] })
    const form = 'amount=100&currency=usd&customer=cus_123&transfer_data[destination]=acct_1'
    const dropIn = await world.dropIn('POST', '/stripe/v1/charges', { key: await cashier('till-4'), form })
    expect(dropIn.status).toBe(403)
    expect((await world.effects()).length).toBe(before)
    const named = await charge(await cashier('marketplace'), { dry_run: true }, { transfer_data })
    expect(named.body).toMatchObject({ decision: 'allow' })
  })

  it('a grant ends by itself in the moment that it names', async () => {
    const key = await world.issue({ project: 'granted', agent: { id: 'teller' } })
    const end = new Date(Date.now() + GRANTED_MS)
    const reloaded = await world.reloadPolicy({ '../policies/granted.yaml': grants(end) })
    expect(reloaded.status).toBe(200)
    const allowed = await charge(key)
    expect(allowed.body).toMatchObject({ status: 200 })
    expect(await world.rows({ event_id: allowed.body.event_id })).toMatchObject([{ grant_id: 'g-1' }, {}])
    await sleep(end.getTime() - Date.now() + 1)
    const denied = await charge(key, { occurrence: 2 })
    expect(denied.body).toMatchObject({ code: 'policy_denied', reasons: [{ code: 'grant_expired' }] })
  })
})
