/** The journal on an open database: writes go through the group commit, reads straight to the pool. */
import { type Kysely, sql } from 'kysely'
import type pg from 'pg'
import type { Held } from '../../model/budget.ts'
import type { OpenReservation } from '../../model/counters.ts'
import type { AuditEvent, AuditQuery } from '../../model/event.ts'
import type { EventId } from '../../model/id.ts'
import type { CallRecord, Identity, Journal } from '../../model/journal.ts'
import type { OutcomeKind } from '../../model/outcome.ts'
import { type EventRow, eventOf } from './event-row.ts'
import { asFault, isDataFault } from './faults.ts'
import { createGroupCommit, type Write } from './group-commit.ts'
import type { Opened } from './opened.ts'
import type { Tables } from './tables.ts'
import {
  eventsWrite,
  intentWrite,
  type JournalResult,
  type JournalWrite,
  outcomeWrite,
  writeBatch,
} from './write-batch.ts'

/** A batch is bounded in count and size, so that one statement stays far below its time-out. */
const BATCH_MAX = 256
const CROWD = 32
const BATCH_BYTES_MAX = 4_000_000

const LOOKUP_BYTES = 200

const PAGE_DEFAULT = 100
const PAGE_MAX = 1_000

/** The fold reads a whole ledger, and calls are refused until it is done: it may take longer than a call may. */
const FOLD_TIMEOUT_MS = 120_000

export function createJournal(opened: Opened): Journal {
  const { db, reads, writes, pumps } = opened
  const queue = createGroupCommit<JournalWrite, JournalResult>({
    pumps,
    crowd: CROWD,
    batchMax: BATCH_MAX,
    batchBytesMax: BATCH_BYTES_MAX,
    write: (batch) => writeBatch(writes, batch),
    isDataFault,
  })

  const lookups = createGroupCommit<Lookup, readonly Twin[]>({
    pumps,
    crowd: CROWD,
    batchMax: BATCH_MAX,
    batchBytesMax: BATCH_BYTES_MAX,
    write: async (batch) => (await findTwins(batch)).map((result) => ({ kind: 'done', result })),
    isDataFault,
  })

  async function findTwins(batch: readonly Lookup[]): Promise<readonly (readonly Twin[])[]> {
    const asked = batch.flatMap(({ identities }, item) => identities.map((identity) => ({ identity, item })))
    const rows = await ask<{ place: number; digest: string; event_id: EventId }>(
      FIND_TWINS,
      asked.map(({ identity }) => identity.name),
      asked.map(({ identity }) => identity.window_s ?? null),
    )
    const found: Twin[][] = batch.map(() => [])
    for (const { place, digest, event_id } of rows) {
      const { identity, item } = asked[place - 1]!
      found[item]!.push({ identity, digest, event_id })
    }
    return found
  }

  async function ask<Row extends pg.QueryResultRow>(statement: Statement, ...values: unknown[]): Promise<Row[]> {
    try {
      const { rows } = await reads.query<Row>({ ...statement, values })
      return rows
    } catch (error) {
      throw asFault(error, 'reading the audit journal')
    }
  }

  return {
    findTwins: async (identities) =>
      identities.length === 0 ? [] : lookups.add({ identities, bytes: LOOKUP_BYTES * identities.length }),

    async append(events) {
      if (events.length > 0) await queue.add(eventsWrite(events))
    },

    async commitIntent(intent, events) {
      if (!events.some((event) => event.kind === 'decision' && event.event_id === intent.event_id))
        throw new Error(`the intent of ${intent.event_id} has no decision row: the two commit together or not at all`)
      if (intent.generation === null && intent.held.length > 0)
        throw new Error(
          `the intent of ${intent.event_id} reserved spend, but not which generation of the counters admitted it`,
        )
      const result = await queue.add(intentWrite(intent, events))
      switch (result.kind) {
        case 'written':
          return { kind: 'committed' }
        case 'twin':
        case 'fenced':
          return result
        case 'stands':
          throw new Error(`the intent of ${intent.event_id} was answered as an outcome`)
      }
    },

    async commitOutcome(outcome, events) {
      if ((outcome.kind === 'unknown') !== (outcome.spent === null))
        throw new Error(
          `the outcome of ${outcome.event_id} is ${outcome.kind}: an unknown one keeps its reservation (spent: null), ` +
            'a final one settles it (spent: what was spent, or [])',
        )
      const result = await queue.add(outcomeWrite(outcome, events))
      return result.kind === 'written'
    },

    async call(event) {
      const [row] = await ask<CallRow>(CALLS, [event])
      return row === undefined ? null : callOf(row)
    },

    async orphans(silent_ms, limit) {
      const late = await ask<{ event_id: EventId }>(LATE, silent_ms / 1_000, limit)
      if (late.length === 0) return []
      const events = late.map(({ event_id }) => event_id)
      return (await ask<CallRow>(CALLS, events)).map(callOf)
    },

    async heartbeat(gateway) {
      await ask(HEARTBEAT, gateway)
    },

    async void(event, organisation) {
      await ask(VOID, event, organisation)
      const [row] = await ask<{ voided: boolean }>(IS_VOIDED, event)
      return row?.voided === true
    },

    async settled(event) {
      const [row] = await ask<{ spent: readonly Held[] }>(SETTLED, event)
      return row === undefined ? null : row.spent.map(heldOf)
    },

    async organisations() {
      return (await ask<{ organisation: string }>(ORGANISATIONS)).map(({ organisation }) => organisation)
    },

    async raiseGeneration(organisation) {
      const [row] = await ask<{ generation: string }>(RAISE_GENERATION, organisation)
      return Number(row!.generation)
    },

    async fold(organisation) {
      const { states, open } = await fold(reads, organisation)
      return {
        states: states.map(({ counter, spent, reserved, ends_at }) => ({
          counter,
          spent,
          reserved,
          ...(ends_at === null ? {} : { ends_at: new Date(ends_at).toISOString() }),
        })),
        open: open.map(
          ({ event_id, held, identities }): OpenReservation => ({
            event_id,
            held: held.map(heldOf),
            identities,
          }),
        ),
      }
    },

    async query(query) {
      try {
        return await pageOf(db, query)
      } catch (error) {
        throw asFault(error, 'reading the audit journal')
      }
    },

    async ping() {
      await ask(PING)
    },

    async close() {
      await queue.drained()
      await opened.close()
    },
  }
}

/** Every call looks for its twins: those of one turn look together, as they write together. */
interface Lookup extends Write {
  readonly identities: readonly Identity[]
}

interface Twin {
  readonly identity: Identity
  readonly digest: string
  readonly event_id: EventId
}

interface Statement {
  /** Prepared once a connection under this name. */
  readonly name: string
  readonly text: string
}

const FIND_TWINS: Statement = {
  name: 'find_twins',
  text: 'select place, digest, event_id from find_twins($1, $2)',
}

const LEDGER_LINES = `jsonb_agg(jsonb_build_object('counter', l.counter, 'amount', l.amount, 'ends_at', l.ends_at)
  order by l.line)`

/** Calls with their newest outcome (a final one before all), their held lines and their decision row. */
const CALLS: Statement = {
  name: 'calls',
  text: `
    select i.event_id, i.organisation, i.key_id, i.provider, i.operation, i.gateway_id, i.identities, i.sealed_request,
      i.committed_at, o.kind, o.sealed_answer,
      (select ${LEDGER_LINES} from ledger l where l.event_id = i.event_id and l.entry = 'reserve') as held,
      (select to_jsonb(e) from audit_events e where e.event_id = i.event_id and e.kind = 'decision'
        order by e.id limit 1) as event
    from intents i
    left join lateral (
      select kind, sealed_answer from (
        select 1 as place, kind, sealed_answer, seq from outcomes where event_id = i.event_id and kind <> 'unknown'
        union all
        select 2, kind, sealed_answer, seq from outcomes where event_id = i.event_id and kind = 'unknown'
      ) either order by place, seq desc limit 1
    ) o on true
    where i.event_id = any($1) and not i.voided
    order by i.committed_at, i.event_id`,
}

/** Open calls whose gateway is silent, and unknown ones whose next sending is due: after 2, 4, 8 … s, at last daily. */
const LATE: Statement = {
  name: 'late',
  text: `
    select open.event_id
    from open_calls open
    left join gateways g on g.id = open.gateway_id
    cross join lateral (
      select count(*) as times, max(committed_at) as told_at
      from outcomes where event_id = open.event_id and kind = 'unknown'
    ) unknown
    where clock_timestamp() >= case times
      when 0 then greatest(g.seen_at, open.committed_at) + make_interval(secs => $1)
      else told_at + make_interval(secs => least(86400, 2 ^ least(17, times)))
    end
    order by open.committed_at, open.event_id limit $2`,
}

const HEARTBEAT: Statement = {
  name: 'heartbeat',
  text: `
    insert into gateways (id, seen_at) values ($1, clock_timestamp())
    on conflict (id) do update set seen_at = excluded.seen_at`,
}

const VOID: Statement = {
  name: 'void',
  text: `
    insert into intents (event_id, organisation, voided, committed_at) values ($1, $2, true, clock_timestamp())
    on conflict (event_id) do nothing`,
}

const IS_VOIDED: Statement = { name: 'is_voided', text: 'select voided from intents where event_id = $1' }

const SETTLED: Statement = {
  name: 'settled',
  text: `
    select coalesce((select ${LEDGER_LINES} from ledger l where l.event_id = o.event_id and l.entry = 'settle'), '[]') as spent
    from outcomes o where o.event_id = $1 and o.kind <> 'unknown'`,
}

const ORGANISATIONS: Statement = {
  name: 'organisations',
  text: 'select organisation from generations order by organisation',
}

const RAISE_GENERATION: Statement = { name: 'raise_generation', text: 'select raise_generation($1) as generation' }

const PING: Statement = { name: 'ping', text: 'select 1' }

/** One statement, hence one snapshot. Counters whose window is over are left out, unless something is still held in them. */
const FOLD: Statement = {
  name: 'fold',
  text: `
    with open as (
      select i.event_id, coalesce((select ${LEDGER_LINES} from ledger l
          where l.event_id = i.event_id and l.entry = 'reserve'), '[]') as held,
        coalesce((select jsonb_agg(identity ->> 'name') from jsonb_array_elements(i.identities) as identity), '[]') as identities
      from open_calls c join intents i on i.event_id = c.event_id
      where c.organisation = $1
    ), reserved as (
      select l.counter, sum(l.amount) as amount, max(l.ends_at) as ends_at
      from open_calls c join ledger l on l.event_id = c.event_id and l.entry = 'reserve'
      where c.organisation = $1 group by l.counter
    ), spent as (
      select l.counter, sum(l.amount) as amount, max(l.ends_at) as ends_at
      from ledger l
      where l.organisation = $1 and l.entry = 'settle' and (l.ends_at is null or l.ends_at > now())
      group by l.counter
    ), states as (
      select coalesce(s.counter, r.counter) as counter, coalesce(s.amount, 0) as spent, coalesce(r.amount, 0) as reserved,
        coalesce(s.ends_at, r.ends_at) as ends_at
      from spent s full join reserved r on r.counter = s.counter
    )
    select
      coalesce((select jsonb_agg(to_jsonb(states) order by counter) from states), '[]') as states,
      coalesce((select jsonb_agg(to_jsonb(open) order by event_id) from open), '[]') as open`,
}

interface FoldRow {
  readonly states: readonly { counter: string; spent: number; reserved: number; ends_at: string | null }[]
  readonly open: readonly { event_id: EventId; held: readonly Held[]; identities: readonly string[] }[]
}

async function fold(pool: pg.Pool, organisation: string): Promise<FoldRow> {
  const client = await pool.connect().catch((error) => {
    throw asFault(error, 'folding the ledger')
  })
  let broken = true
  try {
    await client.query('begin read only')
    await client.query(`set local statement_timeout = ${FOLD_TIMEOUT_MS}`)
    // pg takes query_timeout with each query, though its types do not say so.
    const patient: pg.QueryConfig & { query_timeout: number } = {
      ...FOLD,
      values: [organisation],
      query_timeout: FOLD_TIMEOUT_MS + 1_000,
    }
    const { rows } = await client.query<FoldRow>(patient)
    await client.query('commit')
    broken = false
    return rows[0]!
  } catch (error) {
    throw asFault(error, 'folding the ledger')
  } finally {
    client.release(broken)
  }
}

interface CallRow {
  readonly event_id: EventId
  readonly organisation: string
  readonly key_id: string
  readonly provider: string
  readonly operation: string
  readonly gateway_id: string
  readonly identities: readonly Identity[]
  readonly sealed_request: Buffer
  readonly committed_at: Date
  readonly kind: OutcomeKind | null
  readonly sealed_answer: Buffer | null
  readonly held: readonly Held[] | null
  readonly event: EventRow
}

const callOf = ({ kind, sealed_answer, held, event, committed_at, ...row }: CallRow): CallRecord => ({
  ...row,
  state: kind ?? 'running',
  held: (held ?? []).map(heldOf),
  ...(sealed_answer === null ? {} : { sealed_answer }),
  committed_at: committed_at.toISOString(),
  event: eventOf(event),
})

/** As the ledger's JSON has it, where what is absent is null. */
const heldOf = ({ counter, amount, ends_at }: { counter: string; amount: number; ends_at?: string | null }): Held => ({
  counter,
  amount,
  ...(ends_at == null ? {} : { ends_at: new Date(ends_at).toISOString() }),
})

/**
 * By the index that has the rows in order already. Without figures on the table (it is new, or the database is PGlite, which
 * gathers none) the planner expects few rows, and would sort all that are left for each page.
 */
const pageOf = (db: Opened['db'], query: AuditQuery): Promise<readonly AuditEvent[]> =>
  db
    .transaction()
    .setAccessMode('read only')
    .execute(async (transaction) => {
      await sql`set local enable_sort = off`.execute(transaction)
      return (await asked(transaction, query).execute()).map(eventOf)
    })

function asked(db: Kysely<Tables>, query: AuditQuery) {
  const { kind, run, agent, project, key, provider, operation, decision, event_id, correlation_id } = query
  const equal = { kind, run, agent, project, key_id: key, provider, operation, decision, event_id, correlation_id }
  let page = db.selectFrom('audit_events').selectAll()
  for (const [column, value] of Object.entries(equal)) {
    if (value !== undefined) page = page.where(column as keyof typeof equal, '=', value)
  }
  if (query.since !== undefined) page = page.where('ts', '>=', new Date(query.since))
  if (query.until !== undefined) page = page.where('ts', '<', new Date(query.until))
  if (query.cursor !== undefined) page = page.where('id', '>', query.cursor)
  return page.orderBy('id').limit(Math.min(query.limit ?? PAGE_DEFAULT, PAGE_MAX))
}
