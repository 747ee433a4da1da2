/**
 * A call's statements and the trail's pages go by the indexes even where the planner knows nothing of the tables, as on the
 * first day: a plan made over empty tables is kept, and would read them whole once they have grown. The database itself
 * counts, in the session that asked.
 */
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newEventId } from '../../src/model/id.ts'
import { createJournal, type Opened } from '../../src/store/postgres/index.ts'
import { kyselyOver } from '../../src/store/postgres/opened.ts'
import { ENGINES, type Fresh } from './engines.ts'
import { auditEvent, callId, fingerprint, intentOf, outcomeOf } from './records.ts'

/** Everything through one session. */
const oneSession = (opened: Opened): pg.Pool =>
  opened.engine === 'pglite' ? opened.reads : new pg.Pool({ ...opened.reads.options, max: 1 })

const SCANS = 'select relname, seq_scan::integer as whole, idx_scan::integer as by_index from pg_stat_xact_user_tables'

const scans = async (session: pg.Pool) =>
  new Map(
    (await session.query<{ relname: string; whole: number; by_index: number }>(SCANS)).rows.map((row) => [
      row.relname,
      row,
    ]),
  )

/** Of the trail, so far; a session tells its figures when it is told to. */
const rowsRead = async (session: pg.Pool): Promise<number> => {
  await session.query('select pg_stat_force_next_flush()')
  const { rows } = await session.query<{ read: string }>(
    "select seq_tup_read + idx_tup_fetch as read from pg_stat_user_tables where relname = 'audit_events'",
  )
  return Number(rows[0]!.read)
}

describe.each(ENGINES)('on a new $engine', ({ fresh }) => {
  let database: Fresh
  let session: pg.Pool

  beforeAll(async () => {
    database = await fresh()
    session = oneSession(database.opened)
  })
  afterAll(async () => {
    if (session !== database.opened.reads) await session.end()
    await database.remove()
  })

  it('no step of a call reads a whole table', async () => {
    const journal = createJournal({ ...database.opened, reads: session, writes: session, pumps: 1 })
    await session.query('begin')
    const before = await scans(session)
    for (const kind of ['succeeded', 'failed', 'unknown'] as const) {
      const id = newEventId()
      const identities = [callId(id), fingerprint(id)]
      expect(await journal.findTwins(identities)).toEqual([])
      const held = [{ counter: 'cap', amount: 5 }]
      expect(await journal.commitIntent(intentOf(id, { identities, held }), [auditEvent(id)])).toEqual({
        kind: 'committed',
      })
      expect(await journal.findTwins(identities)).toHaveLength(2)
      const outcome = outcomeOf(id, { kind, spent: kind === 'unknown' ? null : kind === 'failed' ? [] : held })
      expect(await journal.commitOutcome(outcome, [auditEvent(id, { kind: 'outcome' })])).toBe(true)
      expect(await journal.call(id)).toMatchObject({ state: kind })
      await journal.settled(id)
    }
    const after = await scans(session)
    await session.query('rollback')
    const more = [...after].map(([table, { whole, by_index }]) => ({
      table,
      whole: whole - (before.get(table)?.whole ?? 0),
      by_index: by_index - (before.get(table)?.by_index ?? 0),
    }))
    expect(more.filter(({ whole }) => whole > 0)).toEqual([])
    for (const name of ['claims', 'intents', 'open_calls'])
      expect(more.find(({ table }) => table === name)?.by_index, name).toBeGreaterThan(0)
  })

  it('a page of the trail is read in the order of an index, and little beside it', async () => {
    const journal = createJournal({ ...database.opened, reads: session, db: kyselyOver(session) })
    const events = Array.from({ length: 2_000 }, () => auditEvent(newEventId()))
    await journal.append(events)
    const page = { kind: 'decision', since: '2026-01-01T00:00:00Z', limit: 10 } as const
    const before = await rowsRead(session)
    expect(await journal.query({ ...page, cursor: events[99]!.id })).toEqual(events.slice(100, 110))
    expect((await rowsRead(session)) - before).toBeLessThan(100)
  })
})
