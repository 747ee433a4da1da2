/** Every promise of the journal's port, on both engines. */
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EventId, newEventId } from '../../src/model/id.ts'
import type { Identity, IntentCommit, IntentRecord, Journal } from '../../src/model/journal.ts'
import { leafHash } from '../../src/store/postgres/event-row.ts'
import { createJournal } from '../../src/store/postgres/index.ts'
import { ENGINES, type Fresh } from './engines.ts'
import { auditEvent, callId, fingerprint, intentOf, outcomeOf } from './records.ts'

describe.each(ENGINES)('the journal on $engine', ({ fresh }) => {
  let database: Fresh
  let journal: Journal

  beforeAll(async () => {
    database = await fresh()
    journal = createJournal(database.opened)
  })
  afterAll(() => database.remove())

  const commit = (id: EventId, more: Partial<IntentRecord> = {}): Promise<IntentCommit> =>
    journal.commitIntent(intentOf(id, more), [auditEvent(id, { organisation: more.organisation ?? 'acme' })])
  const holders = async (identities: readonly Identity[]): Promise<readonly EventId[]> =>
    (await journal.findTwins(identities)).map(({ event_id }) => event_id)
  const rowsOf = async (id: EventId): Promise<readonly string[]> =>
    (await journal.query({ event_id: id })).map(({ kind }) => kind)

  describe('audit rows', () => {
    it('are kept as they were given', async () => {
      const event = auditEvent(newEventId(), { reason: 'small_refund', expires: '2026-12-01T00:00:00Z' })
      await journal.append([event])
      expect(await journal.query({ event_id: event.event_id })).toEqual([event])
    })

    it('carry a leaf hash that their content gives again, whatever the order of its names', async () => {
      const event = auditEvent(newEventId(), { params: { z: 1, a: { é: ['\u2028', 1e21, -0.5], Z: null }, '': '"\\' } })
      await journal.append([event])
      const stored = await sql<{ leaf_hash: Buffer }>`
        select leaf_hash from audit_events where id = ${event.id}`.execute(database.opened.db)
      const [read] = await journal.query({ event_id: event.event_id })
      expect(stored.rows[0]?.leaf_hash).toEqual(leafHash(event))
      expect(leafHash(read!)).toEqual(leafHash(event))
      expect(leafHash({ ...event, cost: 501 })).not.toEqual(leafHash(event))
    })

    it('that the database cannot hold fail alone: those written beside them are kept', async () => {
      const events = Array.from({ length: 20 }, () => auditEvent(newEventId()))
      const bad = auditEvent(newEventId(), { reason: 'a NUL: \0' })
      const results = await Promise.allSettled([...events, bad].map((event) => journal.append([event])))
      expect(results.map(({ status }) => status)).toEqual([...events.map(() => 'fulfilled'), 'rejected'])
      expect(await rowsOf(bad.event_id)).toEqual([])
    })

    it.each([
      'update audit_events set decision = null',
      'delete from audit_events',
      'truncate audit_events',
      'update intents set voided = true',
      'delete from intents where false',
      'truncate intents cascade',
      "update outcomes set kind = 'failed'",
      'delete from outcomes',
      'truncate outcomes',
      'update ledger set amount = 0',
      'delete from ledger',
      'truncate ledger',
    ])('take inserts only: the database refuses `%s` to the gateway, and to the owner', async (statement) => {
      const { db } = database.opened
      await expect(sql.raw(statement).execute(db)).rejects.toThrow('permission denied')
      await db.connection().execute(async (owner) => {
        await sql`reset role`.execute(owner)
        await expect(sql.raw(statement).execute(owner)).rejects.toThrow('its rows are history and take inserts only')
        await sql`set role countersign_app`.execute(owner)
      })
    })
  })

  describe('an intent', () => {
    it('is committed with its decision row and told back as a call', async () => {
      const id = newEventId()
      const held = [
        { counter: 'run=a|usd', amount: 500 },
        { counter: 'day=b|usd', amount: 500, ends_at: '2036-11-22T00:00:00.000Z' },
      ]
      const intent = intentOf(id, { identities: [callId('told'), fingerprint('told')], held })
      const event = auditEvent(id)
      expect(await journal.commitIntent(intent, [event])).toEqual({ kind: 'committed' })
      const { generation: _, ...known } = intent
      const committed_at = expect.stringMatching(/^20.*Z$/)
      expect(await journal.call(id)).toEqual({ ...known, state: 'running', committed_at, event })
    })

    it('without its decision row is a fault, and nothing is written', async () => {
      const id = newEventId()
      await expect(journal.commitIntent(intentOf(id), [])).rejects.toThrow('no decision row')
      expect(await journal.call(id)).toBeNull()
    })

    it('whose identity another event holds is its twin, and nothing of it is written', async () => {
      const first = newEventId()
      const second = newEventId()
      await commit(first, { identities: [callId('t1'), fingerprint('t1')] })
      const twin = await commit(second, {
        identities: [callId('t2'), fingerprint('t1')],
        held: [{ counter: 'run=t|usd', amount: 1 }],
      })
      expect(twin).toEqual({ kind: 'twin', event_id: first })
      expect(await journal.call(second)).toBeNull()
      expect(await rowsOf(second)).toEqual([])
      expect(await holders([callId('t2'), fingerprint('t1')])).toEqual([first])
    })

    it('takes over a claim that is older than its window, or than the window of who asks', async () => {
      const first = newEventId()
      const second = newEventId()
      const third = newEventId()
      await commit(first, { identities: [fingerprint('short', 1), fingerprint('long', 3_600)] })
      await delay(1_100)
      expect(await holders([fingerprint('long', 1)])).toEqual([])
      expect(await holders([fingerprint('long', 3_600)])).toEqual([first])
      expect(await holders([fingerprint('short', 3_600)])).toEqual([])
      expect(await commit(second, { identities: [fingerprint('long', 3_600)] })).toEqual({
        kind: 'twin',
        event_id: first,
      })
      expect(await commit(third, { identities: [fingerprint('short', 3_600)] })).toEqual({ kind: 'committed' })
      expect(await holders([fingerprint('short', 3_600)])).toEqual([third])
      // The first event's failure frees only what is still its own.
      await journal.commitOutcome(outcomeOf(first, { kind: 'failed' }), [])
      expect(await holders([fingerprint('short', 3_600), fingerprint('long', 3_600)])).toEqual([third])
    })

    it('for ever holds a call id that has no window', async () => {
      const id = newEventId()
      await commit(id, { identities: [callId('forever', 'sha256:a')] })
      expect(await journal.findTwins([callId('unheard'), callId('forever', 'sha256:b')])).toEqual([
        { identity: callId('forever', 'sha256:b'), digest: 'sha256:a', event_id: id },
      ])
    })

    it('sent fifty times at once is committed once, and the others are twins of that one', async () => {
      const ids = Array.from({ length: 50 }, newEventId)
      const results = await Promise.all(
        ids.map((id, index) => commit(id, { identities: [callId(`fifty ${index}`), fingerprint('fifty')] })),
      )
      const winners = ids.filter((_, index) => results[index]!.kind === 'committed')
      expect(winners).toHaveLength(1)
      const twins = results.filter((result) => result.kind === 'twin')
      expect(twins).toEqual(Array.from({ length: 49 }, () => ({ kind: 'twin', event_id: winners[0] })))
    })

    it('is not a twin of one that was itself refused', async () => {
      const [holder, loser, free] = [newEventId(), newEventId(), newEventId()]
      await commit(holder, { identities: [callId('chain z')] })
      const [lost, won] = await Promise.all([
        commit(loser, { identities: [callId('chain a'), callId('chain z')] }),
        commit(free, { identities: [callId('chain a')] }),
      ])
      expect(lost).toEqual({ kind: 'twin', event_id: expect.any(String) })
      expect(won).toEqual({ kind: 'committed' })
      expect(await holders([callId('chain a')])).toEqual([free])
    })

    it('given twice is a fault: an event has one intent', async () => {
      const id = newEventId()
      await commit(id)
      await expect(commit(id)).rejects.toThrow(/duplicate key/)
    })
  })

  describe('an outcome', () => {
    it('settles once: the first final one stands', async () => {
      const id = newEventId()
      const held = [{ counter: 'run=once|usd', amount: 500 }]
      const spent = [{ counter: 'run=once|usd', amount: 300 }]
      await commit(id, { held })
      expect(await journal.settled(id)).toBeNull()
      const answer = Buffer.from('sealed')
      const outcome = auditEvent(id, { kind: 'outcome', outcome: 'succeeded' })
      expect(await journal.commitOutcome(outcomeOf(id, { spent, sealed_answer: answer }), [outcome])).toBe(true)
      const late = auditEvent(id, { kind: 'policy_changed' })
      expect(await journal.commitOutcome(outcomeOf(id, { kind: 'failed' }), [late])).toBe(false)
      expect(await journal.commitOutcome(outcomeOf(id, { kind: 'unknown', spent: null }), [late])).toBe(false)
      expect(await journal.call(id)).toMatchObject({ state: 'succeeded', sealed_answer: answer, held })
      expect(await journal.settled(id)).toEqual(spent)
      expect(await rowsOf(id)).toEqual(['decision', 'outcome'])
    })

    it('of two at once is one', async () => {
      const id = newEventId()
      await commit(id)
      const both = await Promise.all([
        journal.commitOutcome(outcomeOf(id), []),
        journal.commitOutcome(outcomeOf(id, { kind: 'failed' }), []),
      ])
      expect(both.filter(Boolean)).toHaveLength(1)
    })

    it('that failed frees the claims, so that the next attempt is a new event', async () => {
      const identities = [callId('freed'), fingerprint('freed')]
      const [first, second] = [newEventId(), newEventId()]
      await commit(first, { identities })
      await journal.commitOutcome(outcomeOf(first, { kind: 'failed' }), [])
      expect(await holders(identities)).toEqual([])
      expect(await commit(second, { identities })).toEqual({ kind: 'committed' })
      expect(await journal.call(first)).toMatchObject({ state: 'failed', identities })
    })

    it('that is unknown keeps reservation and claims until it is known', async () => {
      const id = newEventId()
      const identities = [callId('unknown')]
      await commit(id, { identities, held: [{ counter: 'run=u|usd', amount: 7 }] })
      const unknown = outcomeOf(id, { kind: 'unknown', spent: null })
      expect(await journal.commitOutcome(unknown, [])).toBe(true)
      expect(await journal.commitOutcome(unknown, [])).toBe(true)
      expect(await journal.call(id)).toMatchObject({ state: 'unknown' })
      expect(await journal.settled(id)).toBeNull()
      expect(await holders(identities)).toEqual([id])
      expect(await journal.commitOutcome(outcomeOf(id, { spent: [] }), [])).toBe(true)
      expect(await journal.call(id)).toMatchObject({ state: 'succeeded' })
      expect(await journal.settled(id)).toEqual([])
    })

    it('of a call that has no intent is a fault', async () => {
      await expect(journal.commitOutcome(outcomeOf(newEventId()), [])).rejects.toThrow('no intent')
    })

    it('that is final but settles nothing, or unknown but settles, is a fault', async () => {
      const id = newEventId()
      await commit(id)
      await expect(journal.commitOutcome(outcomeOf(id, { spent: null }), [])).rejects.toThrow('settles')
      await expect(journal.commitOutcome(outcomeOf(id, { kind: 'unknown' }), [])).rejects.toThrow('settles')
      expect(await journal.call(id)).toMatchObject({ state: 'running' })
    })
  })

  describe('the fence', () => {
    it('refuses an intent of an older generation, and writes nothing of it', async () => {
      const organisation = 'fenced'
      const identities = [callId('fenced')]
      expect(await journal.raiseGeneration(organisation)).toBe(1)
      expect(await journal.raiseGeneration(organisation)).toBe(2)
      const [old, current] = [newEventId(), newEventId()]
      expect(await commit(old, { organisation, generation: 1, identities })).toEqual({ kind: 'fenced' })
      expect(await journal.call(old)).toBeNull()
      expect(await rowsOf(old)).toEqual([])
      expect(await holders(identities)).toEqual([])
      expect(await commit(current, { organisation, generation: 2, identities })).toEqual({ kind: 'committed' })
      expect(await journal.organisations()).toEqual(expect.arrayContaining(['acme', organisation]))
    })

    it('lets an intent pass that reserved nothing, and refuses one that reserved under no generation', async () => {
      const organisation = 'free'
      await journal.raiseGeneration(organisation)
      const [free, held] = [newEventId(), [{ counter: 'run|usd', amount: 1 }]]
      expect(await commit(free, { organisation, generation: null })).toEqual({ kind: 'committed' })
      await expect(commit(newEventId(), { organisation, generation: null, held })).rejects.toThrow('generation')
    })

    it('has every intent of an older generation before it, in the next fold, or refuses it', async () => {
      const organisation = 'airtight'
      for (let generation = 0; generation < 12; generation += 1) {
        const ids = Array.from({ length: 24 }, newEventId)
        const held = [{ counter: 'lifetime|usd', amount: 1 }]
        const commits = ids.map(async (id) => ({ id, result: await commit(id, { organisation, generation, held }) }))
        await delay(generation % 4)
        expect(await journal.raiseGeneration(organisation)).toBe(generation + 1)
        const { open } = await journal.fold(organisation)
        const known = new Set(open.map(({ event_id }) => event_id))
        for (const { id, result } of await Promise.all(commits)) expect(known.has(id)).toBe(result.kind === 'committed')
      }
    })

    it('is closed to an event that recovery gave up', async () => {
      const id = newEventId()
      expect(await journal.void(id, 'acme')).toBe(true)
      expect(await journal.void(id, 'acme')).toBe(true)
      expect(await commit(id)).toEqual({ kind: 'fenced' })
      expect(await journal.call(id)).toBeNull()
    })

    it('cannot give up an event that has its intent', async () => {
      const id = newEventId()
      await commit(id)
      expect(await journal.void(id, 'acme')).toBe(false)
      expect(await journal.call(id)).toMatchObject({ state: 'running' })
    })

    it('either voids an event or commits it, never both', async () => {
      for (let round = 0; round < 20; round += 1) {
        const id = newEventId()
        const [voided, committed] = await Promise.all([journal.void(id, 'acme'), commit(id)])
        expect(committed.kind).toBe(voided ? 'fenced' : 'committed')
      }
    })
  })

  describe('the ledger', () => {
    it('folds to what its history gives', async () => {
      const organisation = 'folded'
      const ends_at = '2036-11-22T00:00:00.000Z'
      const heldOf = (amount: number) => [
        { counter: 'day|usd', amount, ends_at },
        { counter: 'lifetime|usd', amount },
      ]
      const spent = new Map<string, number>()
      const reserved = new Map<string, number>()
      const open: string[] = []
      await Promise.all(
        Array.from({ length: 60 }, async (_, index) => {
          const id = newEventId()
          const held = heldOf(index + 1)
          await commit(id, { organisation, held, identities: [callId(`folded ${index}`)] })
          const known = index % 3 !== 0
          if (index % 3 === 1) await journal.commitOutcome(outcomeOf(id, { spent: heldOf(index) }), [])
          if (index % 3 === 2) await journal.commitOutcome(outcomeOf(id, { kind: 'failed' }), [])
          if (index % 6 === 0) await journal.commitOutcome(outcomeOf(id, { kind: 'unknown', spent: null }), [])
          if (!known) open.push(id)
          for (const { counter, amount } of known ? [] : held)
            reserved.set(counter, (reserved.get(counter) ?? 0) + amount)
          for (const { counter, amount } of index % 3 === 1 ? heldOf(index) : [])
            spent.set(counter, (spent.get(counter) ?? 0) + amount)
        }),
      )
      const fold = await journal.fold(organisation)
      expect(fold.states).toEqual([
        { counter: 'day|usd', spent: spent.get('day|usd'), reserved: reserved.get('day|usd'), ends_at },
        { counter: 'lifetime|usd', spent: spent.get('lifetime|usd'), reserved: reserved.get('lifetime|usd') },
      ])
      expect(fold.open.map(({ event_id }) => event_id)).toEqual(open.sort())
      expect(fold.open[0]).toMatchObject({ held: heldOf(expect.any(Number) as never) })
      expect(fold.open.every(({ identities }) => identities.length === 1)).toBe(true)
    })

    it('leaves out a window that is over, unless something is still held in it', async () => {
      const organisation = 'windows'
      const over = (counter: string) => [{ counter, amount: 5, ends_at: '2020-01-01T00:00:00.000Z' }]
      const [done, running] = [newEventId(), newEventId()]
      await commit(done, { organisation, held: over('day=1') })
      await commit(running, { organisation, held: over('day=2') })
      await journal.commitOutcome(outcomeOf(done, { spent: over('day=1') }), [])
      const { states } = await journal.fold(organisation)
      expect(states).toEqual([{ counter: 'day=2', spent: 0, reserved: 5, ends_at: '2020-01-01T00:00:00.000Z' }])
    })

    it('of an organisation that never called is empty', async () => {
      expect(await journal.fold('nobody')).toEqual({ states: [], open: [] })
    })

    it('keeps the lines of one event apart, even in one counter', async () => {
      const organisation = 'lines'
      const held = [
        { counter: 'run|usd', amount: 2 },
        { counter: 'run|usd', amount: 2 },
      ]
      await commit(newEventId(), { organisation, held })
      expect((await journal.fold(organisation)).states).toEqual([{ counter: 'run|usd', spent: 0, reserved: 4 }])
    })
  })

  describe('an orphan', () => {
    it('is a call whose gateway is silent, oldest first, or one that is unknown and whose turn it is again', async () => {
      const [first, second, known, alive, asked] = Array.from({ length: 5 }, newEventId) as [
        EventId,
        EventId,
        EventId,
        EventId,
        EventId,
      ]
      for (const id of [first, second, known]) await commit(id, { gateway_id: 'gw_silent' })
      for (const id of [alive, asked]) await commit(id, { gateway_id: 'gw_alive' })
      const orphans = async (): Promise<readonly unknown[]> => {
        await journal.heartbeat('gw_alive')
        const found = await journal.orphans(300, 1_000)
        return found.flatMap(({ event_id, gateway_id, state }) =>
          gateway_id === 'gw_silent' || gateway_id === 'gw_alive' ? [[event_id, state]] : [],
        )
      }
      await journal.heartbeat('gw_silent')
      await journal.commitOutcome(outcomeOf(known), [])
      await delay(400)
      expect(await orphans()).toEqual([
        [first, 'running'],
        [second, 'running'],
      ])
      await journal.commitOutcome(outcomeOf(asked, { kind: 'unknown', spent: null }), [])
      expect(await orphans()).toHaveLength(2)
      await delay(2_100)
      expect(await orphans()).toEqual([
        [first, 'running'],
        [second, 'running'],
        [asked, 'unknown'],
      ])
      await journal.commitOutcome(outcomeOf(asked, { kind: 'unknown', spent: null }), [])
      await delay(2_100)
      expect(await orphans()).toHaveLength(2)
      expect(await journal.orphans(0, 2)).toHaveLength(2)
    })
  })

  describe('a query', () => {
    const organisation = 'queried'
    const events = [
      { run: 'r1', agent: 'a1', project: 'p1', key_id: 'k1', provider: 'stripe', operation: 'o1', decision: 'allow' },
      { run: 'r1', agent: 'a2', project: 'p2', key_id: 'k2', provider: 'stripe', operation: 'o2', decision: 'deny' },
      { run: 'r2', agent: 'a1', project: 'p2', key_id: 'k2', provider: 'twilio', operation: 'o1', decision: 'hold' },
    ].map((more, index) =>
      auditEvent(newEventId(), {
        ...(more as object),
        organisation,
        correlation_id: `queried-${index}`,
        ts: `2027-01-0${index + 1}T00:00:00.000Z`,
      }),
    )
    beforeAll(() => journal.append(events))

    it.each([
      [{ run: 'r1' }, [0, 1]],
      [{ agent: 'a1', provider: 'stripe' }, [0]],
      [{ agent: 'a1', run: 'r2' }, [2]],
      [{ project: 'p2' }, [1, 2]],
      [{ key: 'k2' }, [1, 2]],
      [{ provider: 'twilio' }, [2]],
      [{ operation: 'o1', key: 'k1' }, [0]],
      [{ decision: 'deny', run: 'r1' }, [1]],
      [{ event_id: events[1]!.event_id }, [1]],
      [{ correlation_id: 'queried-2' }, [2]],
      [{ since: '2027-01-02T00:00:00Z' }, [1, 2]],
      [{ since: '2027-01-01T00:00:00Z', until: '2027-01-03T00:00:00Z' }, [0, 1]],
      [{ run: 'r3' }, []],
    ])('by %o finds exactly those', async (query, expected) => {
      expect(await journal.query(query)).toEqual(expected.map((index) => events[index]))
    })

    it('pages by its cursor', async () => {
      const first = await journal.query({ since: '2027-01-01T00:00:00Z', limit: 2 })
      const cursor = first.at(-1)!.id
      const second = await journal.query({ since: '2027-01-01T00:00:00Z', limit: 2, cursor })
      expect([...first, ...second]).toEqual(events)
    })
  })

  it('commits two hundred mixed writes at once, each as if it were alone', async () => {
    const organisation = 'mixed'
    const before = Array.from({ length: 50 }, newEventId)
    await Promise.all(before.map((id) => commit(id, { organisation, held: [{ counter: 'mixed', amount: 2 }] })))
    const ids = Array.from({ length: 200 }, newEventId)
    const results = await Promise.all(
      ids.map((id, index) => {
        if (index % 4 === 0) return journal.append([auditEvent(id)]).then(() => 'appended')
        if (index % 4 === 1) return journal.commitOutcome(outcomeOf(before[(index - 1) / 4]!), [auditEvent(id)])
        const more = { organisation, identities: [callId(`mixed ${index - (index % 2)}`)] }
        return commit(id, more).then(({ kind }) => kind)
      }),
    )
    const count = (result: unknown): number => results.filter((each) => each === result).length
    expect([count('appended'), count(true), count('committed'), count('twin')]).toEqual([50, 50, 50, 50])
    expect((await journal.fold(organisation)).open).toHaveLength(50)
    const written = await Promise.all(ids.map((id) => rowsOf(id)))
    expect(written.filter((rows) => rows.length === 1)).toHaveLength(150)
  })

  it('answers a ping', async () => {
    await expect(journal.ping()).resolves.toBeUndefined()
  })
})
