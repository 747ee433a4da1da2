/**
 * Which budgets a call draws on, what it holds in each, and what settles. Promises: every budget that applies is in the
 * lines; amounts are whole minor units, rounded up; a currency without a rate is refused; the counters open only with the
 * ledger's fold in them. All of it is pure but `createRehydration`, which goes through the ports.
 */
export { heldBy } from '../model/reservation.ts'
export { cappedRefusal } from './capped.ts'
export { linesFor } from './lines.ts'
export type { Rates } from './rates.ts'
export { createRehydration } from './rehydrate.ts'
export type { SpendingCall } from './scope.ts'
export { settledBy } from './settled.ts'
