/**
 * One call, one event, however often it is sent. The caller's own name for a call (call id) and what it says
 * (fingerprint) are two questions with two answers, and both hold.
 */
export { type CallIdentity, identify } from './identify.ts'
export { judgeTwins, type Prior } from './judge-twins.ts'
export { type RunningCalls, running } from './running.ts'
