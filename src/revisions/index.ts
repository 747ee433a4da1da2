/**
 * Which policy is in force, for all gateways of one database. Each revision is content-addressed, signed and stored whole; the
 * newest change in the history says which one decides, and every gateway follows it within a second. What does not compile,
 * fails its trial or does not verify never takes over, and whatever was refused or changed has its audit row first.
 */
export { findRevision } from './history.ts'
export { revisions } from './revisions.ts'
export { contentOf } from './signed.ts'
export { watchPolicies } from './watching.ts'
