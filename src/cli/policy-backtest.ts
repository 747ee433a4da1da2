import { Command, InvalidArgumentError, Option } from 'commander'
import { compare, FAIL_ON, type FailOn, failsOn, type Report } from '../backtest/index.ts'
import type { Policy } from '../model/decision.ts'
import { explainPolicyRefusal, isPolicyRefusal, type OpenPolicy, openPolicy } from '../policy/index.ts'
import { type Filters, queryOf, timeOf, withFilters } from './audit.ts'
import { changesReport, summary } from './changes-report.ts'
import { CliError, note, print, waiting } from './output.ts'
import { catalogue } from './policy-catalogue.ts'
import { type FolderOptions, type Folders, foldersOf, withFolders } from './policy-folders.ts'
import { progress } from './progress.ts'
import { openRecordedRows } from './recorded-rows.ts'

const EVENT_IDS = 3

export interface HistoryOptions extends Filters {
  readonly since: string
  readonly until?: string
  readonly events: number
  readonly format: 'text' | 'json'
  readonly failOn?: FailOn
}

/** Which calls on record, and what to say of them. */
export const withHistory = (command: Command): Command =>
  withFilters(command)
    .addOption(
      new Option('--since <time>', 'calls from here on: a time, or how long ago')
        .argParser(timeOf)
        .default(timeOf('7d'), '7d'),
    )
    .option('--until <time>', 'and before this (default: now)', timeOf)
    .option('--events <count>', 'event ids shown for each group', countOf, EVENT_IDS)
    .addOption(new Option('--format <format>', 'how to report').choices(['text', 'json']).default('text'))
    .addOption(new Option('--fail-on <change>', 'exit with 1 where any call changes so').choices(FAIL_ON))

function countOf(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Write a whole number, as 3.')
}

/** Compiles what lies in the folders, as the gateway would. */
export async function openCandidate(folders: Folders): Promise<OpenPolicy> {
  const opened = await waiting(`compiling ${folders.policyDir}`, openPolicy(folders))
  if (!isPolicyRefusal(opened)) return opened
  throw new CliError(
    `The policy in ${folders.policyDir} cannot be taken.\n${explainPolicyRefusal(opened)}`,
    'Mend it there; `countersign policy build` checks it.',
  )
}

/** Asks the calls on record again. */
export async function backtest(
  { since, until = new Date().toISOString(), events, format: _format, failOn: _failOn, ...filters }: HistoryOptions,
  before: Policy | null,
  after: Policy,
): Promise<Report> {
  const rows = await openRecordedRows(filters, { ...queryOf(filters), since, until })
  const bar = progress('asking again')
  let first: number | undefined
  let seen = 0
  async function* counted() {
    for await (const page of rows.pages()) {
      seen += page.length
      yield page
    }
  }
  try {
    return await compare(counted(), {
      ...{ before, after, event_ids_max: events, catalogue: catalogue(), key: rows.key },
      onPage({ ts }) {
        const at = Date.parse(ts)
        first ??= at
        bar.at((at - first) / Math.max(1, Date.parse(until) - first), `${seen} calls, ${ts.slice(0, 16)}`)
      },
    })
  } finally {
    bar.end()
    await rows.close()
  }
}

export function tell(report: Report, { format, failOn }: HistoryOptions, more: object = {}): void {
  if (format === 'json') print(JSON.stringify({ ...more, ...report }, null, 2))
  else print(changesReport(report))
  if (report.rows === 0) note('no decision is on record in that time: a longer --since, or fewer filters, finds more')
  if (failOn === undefined || !failsOn(report, failOn)) return
  note(`failed: ${summary(report)} (--fail-on ${failOn})`)
  process.exitCode = 1
}

export const policyBacktestCommand = withHistory(withFolders(new Command('backtest')))
  .description('ask the calls on record again by another policy: what it newly denies, allows and holds')
  .action(async ({ dir, projects, ...history }: FolderOptions & HistoryOptions) => {
    const folders = foldersOf({ ...(dir && { dir }), ...(projects && { projects }) })
    const candidate = await openCandidate(folders)
    const report = await backtest(history, null, candidate.instance())
    tell(report, history, { policy_revision: candidate.revision })
  })
  .addHelpText(
    'after',
    `
Compares what the policy in the folder says with what policy said then, call by call. Reads the trail from the gateway's
admin plane, or straight from the database where DATABASE_URL is set. Left out and counted: calls that were refused before
policy was asked. Spend caps are not run again, and redacted params are judged as they are recorded.

Examples:
  $ countersign policy backtest --since 7d
  $ countersign policy backtest --dir candidate/rego --since 24h --fail-on newly-denied
  $ countersign policy backtest --agent billing-reconciler-1 --format json`,
  )
