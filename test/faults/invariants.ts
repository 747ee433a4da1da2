/**
 * Every invariant of the path of a call, checked from outside: the provider's own ledger, the rows of the database and the
 * counters, once a gateway has brought everything to its end. It reads the tables, not the journal's own account of them.
 */
import pg from 'pg'
import { expect } from 'vitest'
import type { Effect, SeenRequest } from '../../src/sandbox/index.ts'
import { startPglite } from '../../src/store/pglite/index.ts'
import { openPglite } from '../../src/store/postgres/index.ts'
import type { Heard } from './client.ts'
import type { Here, Site } from './site.ts'
import { until } from './until.ts'

interface Rows {
  readonly intents: readonly { event_id: string; voided: boolean; committed_at: Date }[]
  readonly outcomes: readonly { event_id: string; kind: string }[]
  readonly ledger: readonly { event_id: string; entry: string; counter: string; amount: number }[]
  readonly open_calls: readonly { event_id: string }[]
  readonly events: readonly { event_id: string; kind: string; decision: string | null; outcome: string | null }[]
}

const READ: Readonly<Record<keyof Rows, string>> = {
  intents: 'select event_id, voided, committed_at from intents where organisation = $1',
  outcomes: `select o.event_id, o.kind from outcomes o join intents i on i.event_id = o.event_id
    where i.organisation = $1 order by o.seq`,
  ledger: 'select event_id, entry, counter, amount::float8 as amount from ledger where organisation = $1',
  open_calls: 'select event_id from open_calls where organisation = $1',
  events: 'select event_id, kind, decision, outcome from audit_events where organisation = $1',
}

export interface Account {
  /** Minor units that the organisation has spent, by its ledger. */
  readonly spent: number
  readonly effects: readonly Effect[]
}

/** At rest: no call is open, and the counters hold no reservation. */
export const atRest = ({ organisation }: Site, { journal, counters }: Here): Promise<unknown> =>
  until('no call is open and no reservation is held', async () => {
    const [{ open }, held] = await Promise.all([journal.fold(organisation), counters.stale(organisation, 0)])
    return open.length === 0 && held.length === 0
  })

/** Waits for rest, closes the gateway, and checks. `heard` is everything that a client was told. */
export async function expectInvariants(site: Site, gateway: Here, heard: readonly Heard[]): Promise<Account> {
  await atRest(site, gateway)
  const { states } = await gateway.journal.fold(site.organisation)
  const counted = await gateway.counters.read(
    site.organisation,
    states.map(({ counter }) => counter),
  )
  await gateway.close()
  const rows = await rowsOf(site)
  const effects = await ask<Effect>(site, 'effects')
  const requests = (await ask<SeenRequest>(site, 'requests')).filter(({ method }) => method === 'POST')

  expectOneEffectAndKey(rows, effects, requests)
  expectIntentFirst(rows, requests)
  expectTrail(rows, heard)
  expectSettledOnce(rows)

  const spent = new Map<string, number>()
  for (const { entry, counter, amount } of rows.ledger)
    if (entry === 'settle') spent.set(counter, (spent.get(counter) ?? 0) + amount)
  expect(counted, 'the counters equal the fold of the ledger').toEqual(
    [...spent].map(([counter, amount]) => ({ counter, spent: amount, reserved: 0 })),
  )
  const [total = 0] = spent.values()
  expect(total, 'no more than the cap').toBeLessThanOrEqual(site.cap)
  expect(
    effects.reduce((sum, { moved }) => sum + moved, 0),
    'what moved at the provider is what was spent',
  ).toBe(total)
  return { spent: total, effects }
}

const ask = async <Entry>({ sandbox }: Site, what: string): Promise<readonly Entry[]> =>
  (await (await fetch(`${sandbox.url}/_sandbox/${what}`)).json()) as Entry[]

export const requestsOf = (site: Site): Promise<readonly SeenRequest[]> => ask(site, 'requests')
export const effectsOf = (site: Site): Promise<readonly Effect[]> => ask(site, 'effects')

async function rowsOf({ database_url, data_dir, organisation }: Site): Promise<Rows> {
  const lite = database_url === undefined ? await openPglite(startPglite({ dataDir: data_dir })) : undefined
  const pool = lite?.reads ?? new pg.Pool({ connectionString: database_url, max: 1 })
  try {
    const rows: Partial<Record<keyof Rows, unknown>> = {}
    for (const [name, text] of Object.entries(READ))
      rows[name as keyof Rows] = (await pool.query(text, [organisation])).rows
    return rows as unknown as Rows
  } finally {
    await (lite?.close() ?? pool.end())
  }
}

const keyOf = (event_id: string) => `cs-${event_id}`

function expectOneEffectAndKey(
  { intents, outcomes }: Rows,
  effects: readonly Effect[],
  requests: readonly SeenRequest[],
): void {
  const count = new Map<string, number>()
  for (const { idempotency_key } of effects) count.set(`${idempotency_key}`, (count.get(`${idempotency_key}`) ?? 0) + 1)
  expect(
    [...count].filter(([, times]) => times > 1),
    'keys with more than one effect',
  ).toEqual([])
  const known = new Set(intents.filter(({ voided }) => !voided).map(({ event_id }) => keyOf(event_id)))
  expect(
    requests.map(({ idempotency_key }) => idempotency_key ?? 'none').filter((key) => !known.has(key)),
    'requests under a key of no intent',
  ).toEqual([])
  const final = new Map(outcomes.filter(({ kind }) => kind !== 'unknown').map(({ event_id, kind }) => [event_id, kind]))
  expect(outcomes.filter(({ kind }) => kind !== 'unknown').length, 'an event has one final outcome').toBe(final.size)
  const wrong = [...final].filter(
    ([event_id, kind]) => (count.get(keyOf(event_id)) ?? 0) !== (kind === 'succeeded' ? 1 : 0),
  )
  expect(wrong, 'outcomes that the provider gives the lie to').toEqual([])
}

function expectIntentFirst({ intents }: Rows, requests: readonly SeenRequest[]): void {
  const committed = new Map(intents.map(({ event_id, committed_at }) => [keyOf(event_id), committed_at.getTime()]))
  expect(
    requests.filter(({ idempotency_key, at }) => !(committed.get(`${idempotency_key}`)! <= Date.parse(at))),
    'requests that came before their intent',
  ).toEqual([])
}

/** One allow row for each intent, an outcome row for each outcome, a row for whatever a client was told. */
function expectTrail({ intents, outcomes, events }: Rows, heard: readonly Heard[]): void {
  const standing = intents.filter(({ voided }) => !voided).map(({ event_id }) => event_id)
  const rowsBy = (kind: string, of: (event: Rows['events'][number]) => boolean = () => true) =>
    events.filter((event) => event.kind === kind && of(event)).map(({ event_id }) => event_id)
  expect(rowsBy('decision', ({ decision }) => decision === 'allow').sort(), 'allow rows').toEqual(standing.sort())
  expect(
    events
      .filter(({ kind }) => kind === 'outcome')
      .map(({ event_id, outcome }) => `${event_id} ${outcome}`)
      .sort(),
    'outcome rows',
  ).toEqual(outcomes.map(({ event_id, kind }) => `${event_id} ${kind}`).sort())

  const audited = new Set(events.map(({ event_id }) => event_id))
  const UNWRITTEN = new Set(['audit_unavailable', 'draining', 'internal_fault'])
  expect(
    heard.filter(({ status, code, event_id }) => status !== 0 && !UNWRITTEN.has(code ?? '') && !audited.has(event_id!)),
    'answers without a row',
  ).toEqual([])
  const succeeded = new Set(outcomes.filter(({ kind }) => kind === 'succeeded').map(({ event_id }) => event_id))
  expect(
    heard.filter(({ status, event_id }) => status === 200 && !succeeded.has(event_id!)),
    'answers of the provider without a succeeded outcome',
  ).toEqual([])
}

/** Each reservation in the ledger is settled to what was spent, or released by a failed outcome; nothing is left open. */
function expectSettledOnce({ ledger, outcomes, open_calls }: Rows): void {
  expect(open_calls, 'open calls').toEqual([])
  const final = new Map(outcomes.filter(({ kind }) => kind !== 'unknown').map(({ event_id, kind }) => [event_id, kind]))
  const line = ({ event_id, counter, amount }: Rows['ledger'][number]) => `${event_id} ${counter} ${amount}`
  const reserved = ledger.filter(({ entry }) => entry === 'reserve')
  const owed = reserved.filter(({ event_id }) => final.get(event_id) === 'succeeded')
  expect(
    reserved.filter(({ event_id }) => !final.has(event_id)),
    'reservations without a final outcome',
  ).toEqual([])
  expect(
    ledger
      .filter(({ entry }) => entry === 'settle')
      .map(line)
      .sort(),
    'settled lines',
  ).toEqual(owed.map(line).sort())
}
