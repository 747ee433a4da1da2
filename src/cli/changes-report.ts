/** What a policy would change, for people. */
import { type Change, type Group, LEFT_OUT, type LeftOut, type Report } from '../backtest/index.ts'
import type { Verdict } from '../model/decision.ts'
import { formatMoney } from '../model/money.ts'
import { plain, table } from './output.ts'

/** Groups shown of each kind; the JSON has them all. */
const GROUPS_MAX = 12

const NAMES: Readonly<Record<string, string>> = {
  'deny allow': 'newly allowed',
  'hold allow': 'newly allowed, held before',
  'allow deny': 'newly denied',
  'hold deny': 'newly denied, held before',
  'allow hold': 'newly held, allowed before',
  'deny hold': 'newly held, denied before',
}

const calls = (count: number): string => `${count} ${count === 1 ? 'call' : 'calls'}`

const money = (amounts: Change['amounts']): string =>
  Object.entries(amounts)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, value]) => formatMoney({ value, currency }))
    .join(', ')

export function changesReport(report: Report): string {
  const { compared, unchanged, changes } = report
  const same = (Object.entries(unchanged) as [Verdict, number][])
    .filter(([, count]) => count > 0)
    .map(([verdict, count]) => `${count} ${verdict}`)
  const total = Object.values(unchanged).reduce((sum, count) => sum + count, 0)
  const overview = table([
    ...changes.map((change) => [nameOf(change), String(change.calls), movesOf(change)]),
    ['unchanged', String(total), same.join(', ')],
  ])
  return [
    `${calls(compared)} compared`,
    ...notes(report),
    '',
    overview,
    ...changes.flatMap((change) => ['', ...detail(change)]),
  ].join('\n')
}

/** The first line of all: nothing else matters where it is none. */
export const summary = ({ changes, compared }: Report): string =>
  changes.length === 0
    ? `nothing changes for ${calls(compared)}`
    : changes.map((change) => `${change.calls} ${nameOf(change)}`).join(', ')

const nameOf = ({ from, to }: Change): string => NAMES[`${from} ${to}`]!

function movesOf({ from, to, amounts }: Change): string {
  if (Object.keys(amounts).length === 0) return ''
  if (to === 'allow') return `${money(amounts)} would move, caps permitting`
  if (from === 'allow') return `${money(amounts)} would ${to === 'hold' ? 'wait for a human' : 'no longer move'}`
  return money(amounts)
}

function notes({ left_out, redacted, faults }: Report): readonly string[] {
  const lines = (Object.keys(LEFT_OUT) as LeftOut[])
    .filter((why) => left_out[why] > 0)
    .map((why) => `left out: ${left_out[why]} ${LEFT_OUT[why]}`)
  if (redacted.calls > 0)
    lines.push(
      `judged as recorded: ${calls(redacted.calls)} with redacted params (${redacted.params.slice(0, GROUPS_MAX).join(', ')}); a rule that reads those may decide otherwise live`,
    )
  if (faults > 0)
    lines.push(`could not be evaluated: ${calls(faults)}; a gateway refuses such calls, so they count as denied`)
  lines.push('spend caps are not run again: policy alone is compared')
  return lines.map(plain)
}

function detail(change: Change): readonly string[] {
  return [`${nameOf(change)}:`, ...groups('operation', change.by_operation), ...groups('agent', change.by_agent)]
}

function groups(kind: string, all: readonly Group[]): readonly string[] {
  const shown = all.slice(0, GROUPS_MAX)
  const rows = table(shown.map((group) => [`  ${group.name || '-'}`, String(group.calls), money(group.amounts)])).split(
    '\n',
  )
  const lines = shown.flatMap((group, at) => {
    const [reason] = group.reasons
    return [
      rows[at]!,
      ...(kind === 'operation' && reason ? [`      ${plain(reason.message)}`] : []),
      `      ${group.event_ids.join(' ')}${group.calls > group.event_ids.length ? ' …' : ''}`,
    ]
  })
  const more = all.length - shown.length
  return [` by ${kind}`, ...lines, ...(more > 0 ? [`  and ${more} more; --format json has them all`] : [])]
}
