/** From one attempt to what it makes of the call. Pure: the rules are `outcome-table.ts`. */
import type { Operation } from '../model/operation.ts'
import type { Answer, OutcomeKind } from '../model/outcome.ts'
import { header, parseJson, pick, withoutSecret } from './answer.ts'
import type { Attempt } from './attempt.ts'
import { type AnswerRow, FINDINGS, type Finding, type ProviderRules } from './outcome-table.ts'

/** What an attempt told. */
export interface Told {
  readonly finding: Finding
  readonly detail: string
  readonly answer?: Answer
  readonly request_id?: string
  /** The provider's own word on whether to send it again. */
  readonly wanted_again?: boolean
  readonly retry_after?: string
}

interface Judgement {
  readonly kind: OutcomeKind
  /** Whether the same bytes under the same key may be sent again. */
  readonly again: boolean
  /** Whether this attempt may have acted, so that later ones have to answer for it. */
  readonly open: boolean
}

/** Statuses whose empty body is a whole answer. */
const EMPTY = [202, 204]

export function hear(attempt: Attempt, rules: ProviderRules, credential: string): Told {
  if (!attempt.sent) return { finding: 'not_sent', detail: `${attempt.why} before anything was sent` }
  const { status, headers } = attempt
  if (status === undefined || headers === undefined) {
    return { finding: 'open', detail: `${attempt.why} after the request was sent` }
  }

  const text = attempt.body === undefined ? undefined : withoutSecret(attempt.body, credential)
  const parsed = text === undefined ? undefined : text === '' && EMPTY.includes(status) ? null : parseJson(text)
  const row = match(rules, status, parsed)
  const requestId = header(headers, rules.request_id_header)
  const shouldRetry = header(headers, rules.should_retry_header)
  const retryAfter = header(headers, 'retry-after')
  const told = {
    detail: `HTTP ${status}: ${row.because}`,
    ...(requestId !== undefined && { request_id: requestId }),
    ...(retryAfter !== undefined && { retry_after: retryAfter }),
    ...((shouldRetry === 'true' || shouldRetry === 'false') && { wanted_again: shouldRetry === 'true' }),
  }
  if (parsed === undefined) {
    // The status alone: an answer of whatever stands in between may look so, and it knows nothing of keys.
    const why = attempt.why ?? 'its body is not JSON'
    const finding = row.finding === 'done' ? (attempt.too_large ? 'stuck' : 'open') : blunt(row.finding)
    return { ...told, finding, detail: `HTTP ${status}, but ${why}` }
  }
  return {
    ...told,
    finding: row.finding,
    answer: { status, body: parsed, headers: pick(headers, rules.answer_headers) },
  }
}

export function judge(operation: Operation, attempt: Attempt, told: Told, earlierOpen: boolean): Judgement {
  const row = FINDINGS[told.finding]
  const open = attempt.sent && row.alone === 'unknown'
  const again =
    told.finding !== 'done' && (told.wanted_again ?? row.again) && !(attempt.sent && operation.retry === 'never')
  if (operation.effect === 'read') return { kind: told.finding === 'done' ? 'succeeded' : 'failed', again, open }
  const kind = earlierOpen ? row[operation.retry === 'keyed' ? 'keyed' : 'natural'] : row.alone
  return { kind, again, open }
}

/** What remains of a finding when the provider's own words are missing. */
const blunt = (finding: Finding): Finding => (finding === 'rejected' || finding === 'missing' ? 'turned_away' : finding)

const UNLISTED: AnswerRow = {
  status: [100, 999],
  finding: 'open',
  because: 'a status that the outcome table does not list',
}

function match(rules: ProviderRules, status: number, body: unknown): AnswerRow {
  const type = (body as { error?: { type?: unknown } } | null | undefined)?.error?.type
  const fits = (row: AnswerRow): boolean => {
    const [first, last] = typeof row.status === 'number' ? [row.status, row.status] : row.status
    return status >= first && status <= last && (row.error_type === undefined || row.error_type === type)
  }
  return rules.answers.find(fits) ?? UNLISTED
}
