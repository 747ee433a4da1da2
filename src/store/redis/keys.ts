/** The Redis keys of one organisation. They share a hash tag, so that one script may touch them all in a cluster. */

export interface Keys {
  readonly counters: string
  readonly open: string
  readonly opened: string
  readonly ends: string
  readonly claims: string
  readonly freeing: string
  readonly lease: string
}

export function keysOf(organisation: string): Keys {
  // Encoded, so that a brace in a name can neither end the tag nor reach another organisation's keys.
  const tag = `countersign:{organisation=${encodeURIComponent(organisation)}}`
  return {
    counters: `${tag}:counters`,
    open: `${tag}:open`,
    opened: `${tag}:opened`,
    ends: `${tag}:ends`,
    claims: `${tag}:claims`,
    freeing: `${tag}:freeing`,
    lease: `${tag}:lease`,
  }
}

/** The order in which every script that writes takes them. */
export const inOrder = (keys: Keys): readonly string[] => [
  keys.counters,
  keys.open,
  keys.opened,
  keys.ends,
  keys.claims,
  keys.freeing,
]
