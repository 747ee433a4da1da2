/**
 * Every decision and every outcome, written before it matters: a denial before its reply, an intent before its first byte.
 * The only maker of an `Intent`, without which nothing is forwarded.
 */

export { toLine } from './export.ts'
export { commitIntent, type IntentDraft, reopenIntent } from './intent.ts'
export { alertRow, denialRow, type Known, outcomeRow, row } from './row.ts'
