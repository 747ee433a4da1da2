/** One batch of writes as the arguments of the database's `write_batch`, and its answer as one result for each. */
import type pg from 'pg'
import type { Held } from '../../model/budget.ts'
import type { AuditEvent } from '../../model/event.ts'
import type { EventId } from '../../model/id.ts'
import type { IntentRecord, OutcomeRecord } from '../../model/journal.ts'
import { argumentOf, hex, rowOf, type SealedRow } from './event-row.ts'
import { asFault, isOvertaken, isServerAnswer } from './faults.ts'
import type { Write, Written } from './group-commit.ts'

export type JournalWrite = Write & { readonly rows: readonly SealedRow[] } & (
    | { readonly kind: 'events' }
    | { readonly kind: 'intent'; readonly intent: IntentRecord }
    | { readonly kind: 'outcome'; readonly outcome: OutcomeRecord }
  )

export type JournalResult =
  | { readonly kind: 'written' }
  | { readonly kind: 'twin'; readonly event_id: EventId }
  | { readonly kind: 'fenced' }
  /** An earlier final outcome does. */
  | { readonly kind: 'stands' }

/** Rows are made here, once, so that a batch that goes again is not hashed again. */
export const eventsWrite = (events: readonly AuditEvent[]): JournalWrite => {
  const rows = events.map(rowOf)
  return { kind: 'events', rows, bytes: 1_000 * rows.length }
}

export const intentWrite = (intent: IntentRecord, events: readonly AuditEvent[]): JournalWrite => {
  const rows = events.map(rowOf)
  const bytes = 1_000 * (rows.length + 1) + 2 * intent.sealed_request.length
  return { kind: 'intent', intent, rows, key: intent.event_id, bytes }
}

export const outcomeWrite = (outcome: OutcomeRecord, events: readonly AuditEvent[]): JournalWrite => {
  const rows = events.map(rowOf)
  const bytes = 1_000 * (rows.length + 1) + 2 * (outcome.sealed_answer?.length ?? 0)
  return { kind: 'outcome', outcome, rows, key: outcome.event_id, bytes }
}

const WRITE_BATCH = {
  name: 'write_batch',
  text: 'select item, result, holder from write_batch($1, $2, $3, $4, $5, $6, $7)',
}

/** More often than this, it is not a race. */
const OVERTAKEN_MAX = 3

interface Undone {
  readonly item: number
  readonly result: 'fenced' | 'twin' | 'stands'
  readonly holder: EventId | null
}

export async function writeBatch(
  pool: pg.Pool,
  batch: readonly JournalWrite[],
): Promise<readonly Written<JournalResult>[]> {
  const values = argumentsOf(batch)
  for (let attempt = 1; ; attempt += 1) {
    try {
      return resultsOf(batch, await run(pool, values))
    } catch (error) {
      if (isOvertaken(error) && attempt <= OVERTAKEN_MAX) continue
      throw asFault(error, 'writing the audit journal')
    }
  }
}

async function run(pool: pg.Pool, values: readonly string[]): Promise<readonly Undone[]> {
  const client = await pool.connect()
  let broken = false
  try {
    const { rows } = await client.query<Undone>({ ...WRITE_BATCH, values: [...values] })
    return rows
  } catch (error) {
    broken = !isServerAnswer(error)
    throw error
  } finally {
    client.release(broken)
  }
}

function argumentsOf(batch: readonly JournalWrite[]): readonly string[] {
  const events: string[] = []
  const fence: object[] = []
  const intents: object[] = []
  const identities: object[] = []
  const held: object[] = []
  const outcomes: object[] = []
  const spent: object[] = []
  const linesOf = (item: number, event_id: EventId, lines: readonly Held[], organisation?: string): object[] =>
    lines.map((line, index) => ({ ...line, item, event_id, organisation, line: index }))

  batch.forEach((write, item) => {
    for (const row of write.rows) events.push(argumentOf(row, item))
    if (write.kind === 'intent') {
      const { intent } = write
      const { event_id, organisation, gateway_id, generation } = intent
      fence.push({ item, event_id, organisation, gateway_id, generation })
      intents.push({ ...intent, held: undefined, item, sealed_request: hex(intent.sealed_request) })
      intent.identities.forEach(({ name, digest, window_s }, place) => {
        identities.push({ item, place, event_id, name, digest, window_s })
      })
      held.push(...linesOf(item, event_id, intent.held, organisation))
    }
    if (write.kind === 'outcome') {
      const { event_id, kind, sealed_answer } = write.outcome
      outcomes.push({ item, event_id, kind, sealed_answer: sealed_answer && hex(sealed_answer) })
      spent.push(...linesOf(item, event_id, write.outcome.spent ?? []))
    }
  })
  const rest = [fence, intents, identities, held, outcomes, spent].map((rows) => JSON.stringify(rows))
  return [`[${events.join(',')}]`, ...rest]
}

function resultsOf(batch: readonly JournalWrite[], undone: readonly Undone[]): readonly Written<JournalResult>[] {
  const results: Written<JournalResult>[] = batch.map(() => ({ kind: 'done', result: { kind: 'written' } }))
  const lost = new Set<EventId>()
  for (const { item } of undone) {
    const write = batch[item]!
    if (write.kind === 'intent') lost.add(write.intent.event_id)
  }
  for (const { item, result, holder } of undone) {
    if (result !== 'twin') results[item] = { kind: 'done', result: { kind: result } }
    // The twin was in this batch and lost to a third: the claim is free again, so the loser tries once more.
    else if (lost.has(holder!)) results[item] = { kind: 'again' }
    else results[item] = { kind: 'done', result: { kind: 'twin', event_id: holder! } }
  }
  return results
}
