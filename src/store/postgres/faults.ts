/** What an error of the database means for what was being written or read. */
import { AuditStoreUnavailable } from '../../model/journal.ts'

const sqlState = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : ''
}

/** Refused for what the row holds (classes 22, 23, P0): the same row is refused again, its neighbours are not. */
export const isDataFault = (error: unknown): boolean => /^(22|23|P0)/.test(sqlState(error))

/**
 * Nothing was written, and the same again may end otherwise: the victim of a deadlock or of a conflict; and an intent that
 * met one of its event which was not there a moment before, most likely recovery's, which now says that it is voided.
 */
export const isOvertaken = (error: unknown): boolean =>
  ['40P01', '40001'].includes(sqlState(error)) ||
  (error as { constraint?: unknown } | null)?.constraint === 'intents_pkey'

/**
 * The server refused the statement, and its connection is sound. After anything else (FATAL, reset, time-out) nobody knows
 * what the connection is doing, nor whether the statement was committed.
 */
export const isServerAnswer = (error: unknown): boolean =>
  (error as { severity?: unknown } | null)?.severity === 'ERROR'

/** Leaves a data fault as it is; anything else is a store that cannot be relied on now. */
export function asFault(error: unknown, during: string): unknown {
  if (error instanceof AuditStoreUnavailable || isDataFault(error)) return error
  const why = error instanceof Error ? error.message || sqlState(error) : String(error)
  return new AuditStoreUnavailable(
    `${during}: the database failed (${why}). Bring it back, or correct DATABASE_URL; no call passes without it.`,
    { cause: error },
  )
}

/** Runs it, and turns what it throws into a fault that says what was being done. */
export async function guarded<Result>(during: string, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask()
  } catch (error) {
    throw asFault(error, during)
  }
}
