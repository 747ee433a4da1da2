/** The invariants of a call's path, checked from outside: at the provider, in the audit trail, in ledger and counters. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { type EventId, upstreamKey } from '../../src/model/id.ts'
import type { World } from './world.ts'

const UPSTREAM_KEY = /^cs-([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})$/
/** Recovery may be about to settle what a fault left. */
const REST_MS_MAX = 10_000

/** How many requests and effects the sandbox had seen before the story at hand. */
export interface Since {
  readonly requests: number
  readonly effects: number
}

export const now = async (world: World): Promise<Since> => ({
  requests: (await world.requests()).length,
  effects: (await world.effects()).length,
})

/** Without `since`: of everything that ever happened in the world. */
export async function checkInvariants(world: World, since: Since = { requests: 0, effects: 0 }): Promise<void> {
  const requests = await world.requests(since.requests)
  const effects = await world.effects(since.effects)

  const keyless = requests.filter(({ method, idempotency_key }) => method === 'POST' && idempotency_key === null)
  expect(keyless, 'writes that left without a key').toEqual([])

  const organisations = new Set<string>()
  for (const key of new Set(requests.map(({ idempotency_key }) => idempotency_key))) {
    const event = UPSTREAM_KEY.exec(key ?? '')?.[1]
    const record = event === undefined ? null : await world.watch.journal().call(event as EventId)
    if (record !== null) organisations.add(record.organisation)
  }

  for (const [key, of] of grouped(effects)) {
    const event = UPSTREAM_KEY.exec(key ?? '')?.[1]
    expect(event, `the upstream key ${key} derives from an event id`).toBeDefined()
    expect(of.length, `effects under ${key}`).toBe(1)
    const record = await world.watch.journal().call(event as EventId)
    expect(record, `the intent of ${event}`).not.toBeNull()
    expect(upstreamKey(record!.event_id)).toBe(key)
    expect(record!.event, `the decision row of ${event}`).toMatchObject({ kind: 'decision', decision: 'allow' })
  }
  expect(world.watch.violations).toEqual([])
  await countersAgree(world, organisations)
}

/** At rest the counters equal the ledger's fold. */
async function countersAgree(world: World, organisations: ReadonlySet<string>): Promise<void> {
  const journal = world.watch.journal()
  const counters = world.watch.counters()
  for (const organisation of organisations) {
    const differing = async () => {
      const { states } = await journal.fold(organisation)
      const mirrored = await counters.read(
        organisation,
        states.map(({ counter }) => counter),
      )
      return states.flatMap(({ counter, spent, reserved }, at) =>
        spent === mirrored[at]!.spent && reserved === mirrored[at]!.reserved
          ? []
          : [{ counter, ledger: { spent, reserved }, counters: mirrored[at] }],
      )
    }
    const deadline = Date.now() + REST_MS_MAX
    while ((await differing()).length > 0 && Date.now() < deadline) await sleep(50)
    expect(await differing(), `counters of ${organisation} that differ from the ledger's fold`).toEqual([])
  }
}

function grouped<Item extends { readonly idempotency_key: string | null }>(
  items: readonly Item[],
): Map<string | null, Item[]> {
  const groups = new Map<string | null, Item[]>()
  for (const item of items) groups.set(item.idempotency_key, [...(groups.get(item.idempotency_key) ?? []), item])
  return groups
}
