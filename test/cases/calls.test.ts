import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defined } from '../../src/model/defined.ts'
import type { AuditEvent } from '../../src/model/event.ts'
import { checkInvariants, now } from '../gateway/invariants.ts'
import { type Answered, ENGINES, type Key, openWorld, type World } from '../gateway/world.ts'
import { CONFIG, POLICY } from './policy.ts'
import { filled, readCases, type Step } from './table.ts'

const CASES = readCases()

it('no two rows of the table say the same', () => {
  const names = CASES.map((row) => row.case)
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
})

/** What every key of the table spends in its life, whatever else caps it. */
const OBSERVED = { scope: 'key', window: 'lifetime', cap: 1_000_000_000, currency: 'usd' }

const wordOf = ({ kind, decision, outcome, reason, reasons }: AuditEvent): string => {
  if (kind === 'alert') return `alert ${(reasons as { code: string }[])[0]!.code}`
  if (kind === 'decision') return decision === 'allow' ? 'decision allow' : `decision ${decision} ${reason}`
  return `${kind} ${outcome}`
}

describe.each(ENGINES)('on %s', (engine) => {
  let world: World
  beforeAll(async () => {
    world = await openWorld(engine, { policy: POLICY, config: CONFIG })
  })
  afterAll(() => world?.close())

  it.each(CASES.map((row, at) => [row.case, row, at] as const))('%s', async (_, row, at) => {
    const words: Record<string, string> = { case: `${world.name}${at}` }
    const { key: wanted = {}, plant = {}, steps } = filled(row, words)
    await world.plant({
      charges: [{ id: `ch_${words.case}`, amount: 100_000, currency: 'usd', customer: 'cus_123' }],
    })
    await world.plant(plant)
    const since = await now(world)
    const key = await world.issue({
      agent: { id: 'agent-1' },
      ...wanted,
      budgets: [...(wanted.budgets ?? []), OBSERVED],
    })
    const seen = new Map<string, number>()
    const events: string[] = []
    for (const step of steps) {
      const done = filled(step, { ...words, ...Object.fromEntries(events.map((id, i) => [`event:${i + 1}`, id])) })
      events.push(await play(world, key, done, events, seen))
    }
    await checkInvariants(world, since)
  })
})

async function play(
  world: World,
  key: Key,
  step: Step,
  events: readonly string[],
  seen: Map<string, number>,
): Promise<string> {
  const { before = {}, reply } = step
  if (before.misbehave) await world.misbehave(...before.misbehave)
  if (before.revoke) await world.admin('POST', `/admin/vault-keys/${key.id}/revoke`)
  if (before.wait_ms) await sleep(before.wait_ms)
  const effectsBefore = await world.effects()
  const requestsBefore = await world.requests()

  const answer = await send(world, key, step)
  expect(answer.status, JSON.stringify(answer.body)).toBe(reply.status)
  if (reply.body) expect(answer.body).toMatchObject(reply.body)
  if (reply.says) expect(answer.body.detail ?? answer.body.error.message).toContain(reply.says)
  expect(answer.headers.get('countersign-replayed')).toBe(reply.replayed ? 'true' : null)
  if (answer.status >= 400 && answer.body.code) {
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.body).toMatchObject({
      title: expect.any(String),
      detail: expect.any(String),
      fix: expect.any(String),
    })
  }

  const event = answer.headers.get('countersign-event-id')!
  expect(event).toMatch(/^[0-9a-f-]{36}$/)
  if (reply.same_event_as) expect(event).toBe(events[reply.same_event_as - 1])
  else expect(events).not.toContain(event)

  const rows = await world.rows({ event_id: event })
  expect(rows.slice(seen.get(event) ?? 0).map(wordOf)).toEqual(step.audit)
  seen.set(event, rows.length)
  const { call_id, run, turn, correlation_id } = step
  if (answer.status === 200) expect(rows.at(-1)).toMatchObject(defined({ call_id, run, turn, correlation_id }))

  const effects = (await world.effects()).slice(effectsBefore.length)
  expect(effects.map(({ kind, moved }) => `${kind} ${moved}`)).toEqual(step.effects)
  const writes = (await world.requests()).slice(requestsBefore.length).filter(({ method }) => method !== 'GET')
  expect(writes.map(({ idempotency_key }) => idempotency_key)).toEqual(
    Array.from({ length: step.sent ?? step.effects.length }, () => `cs-${event}`),
  )

  const spend = await world.spend(key)
  const spentOn = (name: string) => spend.find(({ scope, window }) => `${scope} ${window}` === name)?.spent
  expect(spentOn('key lifetime')).toBe(step.spent)
  for (const [name, spent] of Object.entries(step.spends ?? {})) expect(spentOn(name), name).toBe(spent)
  expect(spend.map(({ reserved }) => reserved)).toEqual(spend.map(() => 0))
  return event
}

async function send(world: World, key: Key, step: Step): Promise<Answered> {
  const { call, route, form, headers, credential } = step
  const with_ = { key: credential ?? key, ...(headers && { headers }) }
  if (call === undefined) {
    const [method, path] = route!.split(' ') as [string, string]
    return world.dropIn(method, path, { ...with_, ...(form !== undefined && { form }) })
  }
  const { params, call_id, occurrence, run, turn, correlation_id, dry_run } = step
  return world.byName(call, { params, call_id, occurrence, run, turn, correlation_id, dry_run }, with_)
}
