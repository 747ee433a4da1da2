import { once } from 'node:events'
import { createWriteStream, renameSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command, InvalidArgumentError } from 'commander'
import { milliseconds } from '../model/duration.ts'
import type { AuditEvent } from '../model/event.ts'
import { type AdminClient, adminClient, type Query, withAdminUrl } from './admin-client.ts'
import { auditLine } from './audit-line.ts'
import { CliError, note, print } from './output.ts'

const PAGE_ROWS = 1_000
const POLL_MS = 1_000
/** Rows commit a little out of the order of their ids, so what is younger than this is asked for once more. */
const UNSETTLED_MS = 5_000
const PROGRESS_MS = 500

/** A time, or how long ago. */
export function timeOf(text: string): string {
  if (/^\d+(ms|s|m|h|d)$/.test(text)) return new Date(Date.now() - milliseconds(text)).toISOString()
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(Date.parse(text))) return new Date(text).toISOString()
  throw new InvalidArgumentError('Write a time, as 2026-01-31T12:00:00Z, or how long ago, as 15m, 2h or 7d.')
}

export const withFilters = (command: Command): Command =>
  withAdminUrl(command)
    .option('--run <run>', 'rows of this run')
    .option('--agent <id>', 'rows of this agent')
    .option('--project <name>', 'rows of this project')
    .option('--key <id>', 'rows of this vault key')
    .option('--provider <name>', 'rows of this provider')
    .option('--operation <name>', 'rows of this operation')
    .option('--decision <decision>', 'allow, deny or hold')
    .option('--event-id <id>', 'rows of one call')
    .option('--correlation-id <id>', 'rows of one incident')

export interface Filters {
  readonly adminUrl?: string
  readonly eventId?: string
  readonly correlationId?: string
  readonly since?: string
}

export const queryOf = ({ adminUrl: _url, eventId, correlationId, ...rest }: Filters & Query): Query => ({
  ...rest,
  event_id: eventId,
  correlation_id: correlationId,
})

const tail = withFilters(new Command('tail'))
  .description('print audit rows as they are written, one a line')
  .option('--since <time>', 'begin here: a time, or how long ago (default: 15m)', timeOf)
  .option('--no-follow', 'print what is there, and end')
  .option('--json', 'print rows as JSON, one a line')
  .action(async ({ follow, json, ...filters }: Filters & { follow: boolean; json?: true }) => {
    const client = adminClient(filters)
    const since = filters.since ?? timeOf('15m')
    if (follow) note(`rows since ${since}, and those to come; Ctrl-C ends`)
    const show = json ? JSON.stringify : auditLine
    for await (const event of rowsOf(client, { ...queryOf(filters), since }, follow)) print(show(event))
  })
  .addHelpText(
    'after',
    '\nExamples:\n  $ countersign audit tail --decision deny\n  $ countersign audit tail --run conv-42 --since 2h --no-follow',
  )

/** Every row once, however late it was committed. */
async function* rowsOf(client: AdminClient, query: Query, follow: boolean): AsyncGenerator<AuditEvent> {
  let settled: string | undefined
  const shown = new Set<string>()
  for (;;) {
    let cursor = settled
    for (let rows = PAGE_ROWS; rows === PAGE_ROWS; ) {
      const { events } = await client.get<{ events: AuditEvent[] }>('/admin/audit', {
        ...query,
        cursor,
        limit: PAGE_ROWS,
      })
      for (const event of events) {
        cursor = event.id
        if (!shown.has(event.id)) yield event
        if (Date.parse(event.ts) < Date.now() - UNSETTLED_MS) settled = event.id
        else shown.add(event.id)
      }
      rows = events.length
    }
    if (!follow) return
    // Ids are in the order of their time, as texts too.
    for (const id of shown) if (settled !== undefined && id <= settled) shown.delete(id)
    await sleep(POLL_MS)
  }
}

const exportRows = withFilters(new Command('export'))
  .description('write audit rows as JSONL')
  .option('--since <time>', 'from here on: a time, or how long ago', timeOf)
  .option('--until <time>', 'and before this', timeOf)
  .option('--out <file>', 'write to a file, which is there only once it is whole (default: standard output)')
  .action(async ({ out, ...filters }: Filters & { out?: string }) => {
    const lines = await adminClient(filters).lines('/admin/audit', queryOf(filters))
    if (out === undefined) return void (await pour(lines, process.stdout))
    const part = `${out}.part`
    const file = createWriteStream(part)
    try {
      await once(file, 'open')
      const rows = await pour(lines, file)
      await new Promise<void>((resolve) => file.end(resolve))
      renameSync(part, out)
      note(`${rows} rows in ${out}`)
    } catch (error) {
      rmSync(part, { force: true })
      if (error instanceof CliError) throw error
      throw new CliError(`${out} cannot be written: ${(error as Error).message}.`, 'Name a file in a folder of yours.')
    }
  })
  .addHelpText(
    'after',
    '\nExamples:\n  $ countersign audit export --since 30d --out audit.jsonl\n  $ countersign audit export --run conv-42 | jq .reason',
  )

async function pour(lines: AsyncIterable<Uint8Array>, sink: NodeJS.WritableStream): Promise<number> {
  let rows = 0
  let told = Date.now()
  const waits = process.stderr.isTTY && sink !== process.stdout
  try {
    for await (const bytes of lines) {
      for (const byte of bytes) if (byte === 0x0a) rows += 1
      if (!sink.write(bytes)) await once(sink, 'drain')
      if (!waits || Date.now() - told < PROGRESS_MS) continue
      process.stderr.write(`\r${rows} rows …`)
      told = Date.now()
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new CliError(
      `The export was cut off after ${rows} rows.`,
      "Export again; the gateway's log says why it ended.",
    )
  } finally {
    if (waits) process.stderr.write('\r\x1b[2K')
  }
  return rows
}

export const auditCommand = new Command('audit').description('follow and export the audit trail')
for (const command of [tail, exportRows]) auditCommand.addCommand(command)
