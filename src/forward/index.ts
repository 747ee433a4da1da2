/**
 * Forward promises: one wire form, made from the tree that policy saw; one pinned origin, and no redirect followed; one
 * upstream key per event, the same bytes on every attempt; and how it ended: succeeded, failed (surely no effect) or
 * unknown. Nothing of the caller's but its params goes upstream, and no credential comes back.
 */
export { type Encoding, encode } from './encode.ts'
export { type Log, type Time, UPSTREAM_LIMITS, type UpstreamLimits, type UpstreamOptions } from './options.ts'
export { type ProviderRules, STRIPE } from './outcome-table.ts'
export { createUpstream, type Upstream } from './upstream.ts'
