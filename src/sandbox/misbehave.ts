/** Rules by which the sandbox misbehaves: which requests, how often, and how. The doing is in `server.ts`. */

const DEEDS = [
  'delay',
  'reset_before_effect',
  'reset_after_effect',
  'hang',
  'status',
  'redirect',
  'huge_body',
  'truncated_body',
  'invalid_json',
  'slow_body',
  'close_keepalive',
] as const
type Deed = (typeof DEEDS)[number]

/** Whether the endpoint runs before the sandbox misbehaves. For `status`: without its effect, or with it. */
const MOMENTS = ['before_effect', 'after_effect'] as const
type Moment = (typeof MOMENTS)[number]

const STATUSES = [409, 429, 500, 503] as const

export interface Rule {
  readonly match: {
    readonly method?: string
    /** A prefix of the path, or a glob where it has a `*` (which also spans slashes). */
    readonly path?: string
    /** Leaves the first so many matching requests alone. */
    readonly after: number
  }
  /** To how many requests it applies; then it is spent. */
  readonly times: number
  readonly do: Deed
  /** For delay, hang and status. */
  readonly when: Moment
  /** For delay: how long. For slow_body: over how long the body drips. */
  readonly ms: number
  /** For status. */
  readonly status: (typeof STATUSES)[number]
  /** For status: `Stripe-Should-Retry`, absent unless given. */
  readonly should_retry?: boolean
  /** For status: `Retry-After` in seconds, absent unless given. */
  readonly retry_after?: number
  /** For redirect: the `Location`. */
  readonly url: string
  /** For huge_body: how many bytes the body has at least. */
  readonly bytes: number
}

const DEFAULTS = { times: 1, when: 'before_effect', ms: 1_000, status: 500, url: '', bytes: 64 * 1024 * 1024 } as const

interface Armed {
  readonly rule: Rule
  readonly matches: (method: string, path: string) => boolean
  seen: number
  applied: number
}

export class Misbehaviour {
  #armed: Armed[] = []

  /** Adds to the rules; the first that matches and is not spent applies. */
  add(rules: readonly Rule[]): void {
    this.#armed.push(...rules.map((rule) => ({ rule, matches: matcher(rule.match), seen: 0, applied: 0 })))
  }

  /** The rule for this request, counted as applied. `path` is without its query. */
  take(method: string, path: string): Rule | undefined {
    for (const armed of this.#armed) {
      if (armed.applied >= armed.rule.times || !armed.matches(method, path)) continue
      if (armed.seen++ < armed.rule.match.after) continue
      armed.applied++
      return armed.rule
    }
    return undefined
  }

  list(): readonly (Rule & { readonly applied: number })[] {
    return this.#armed.map(({ rule, applied }) => ({ ...rule, applied }))
  }

  clear(): void {
    this.#armed = []
  }
}

function matcher({ method, path }: Rule['match']): Armed['matches'] {
  const glob = path?.includes('*')
    ? new RegExp(
        `^${path
          .split('*')
          .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
          .join('.*')}$`,
      )
    : undefined
  return (itsMethod, itsPath) =>
    (method === undefined || method === itsMethod) &&
    (path === undefined || (glob ? glob.test(itsPath) : itsPath.startsWith(path)))
}

/** Reads the rules of a control request; answers what is wrong with them as a sentence. */
export function readRules(sent: unknown): readonly Rule[] | string {
  const list = Array.isArray(sent) ? sent : [sent]
  const rules: Rule[] = []
  for (const [index, one] of list.entries()) {
    const rule = readRule(one)
    if (typeof rule === 'string') return `rule ${index}: ${rule}`
    rules.push(rule)
  }
  return rules
}

const KNOWN = ['match', 'times', 'do', 'when', 'ms', 'status', 'should_retry', 'retry_after', 'url', 'bytes']

function readRule(sent: unknown): Rule | string {
  if (!isRecord(sent)) return 'a rule is an object'
  const { match = {}, ...rest } = sent
  if (!isRecord(match)) return '`match` is an object of method, path and after'
  const unknown = [
    ...Object.keys(sent).filter((name) => !KNOWN.includes(name)),
    ...Object.keys(match).filter((name) => !['method', 'path', 'after'].includes(name)),
  ]
  if (unknown.length > 0) return `unknown fields: ${unknown.join(', ')}`
  if (!DEEDS.includes(rest.do as Deed)) return `\`do\` is one of ${DEEDS.join(', ')}`
  if (rest.when !== undefined && !MOMENTS.includes(rest.when as Moment))
    return `\`when\` is one of ${MOMENTS.join(', ')}`
  const { method, path, after = 0 } = match
  if (method !== undefined && typeof method !== 'string') return '`match.method` is a string'
  if (path !== undefined && typeof path !== 'string') return '`match.path` is a string'
  for (const [name, value] of Object.entries({
    'match.after': after,
    times: rest.times,
    ms: rest.ms,
    bytes: rest.bytes,
  })) {
    if (value !== undefined && !(Number.isSafeInteger(value) && (value as number) >= 0))
      return `\`${name}\` is a whole number`
  }
  if (rest.retry_after !== undefined && typeof rest.retry_after !== 'number')
    return '`retry_after` is a number of seconds'
  if (rest.should_retry !== undefined && typeof rest.should_retry !== 'boolean')
    return '`should_retry` is true or false'
  if (rest.status !== undefined && !STATUSES.some((status) => status === rest.status)) {
    return `\`status\` is one of ${STATUSES.join(', ')}`
  }
  if (rest.do === 'redirect' && (typeof rest.url !== 'string' || !URL.canParse(rest.url))) {
    return '`url` is the absolute URL to redirect to'
  }
  return {
    ...DEFAULTS,
    ...rest,
    // As parsed: a line break in it would otherwise reach a header.
    ...(typeof rest.url === 'string' && URL.canParse(rest.url) && { url: new URL(rest.url).href }),
    match: {
      ...(method !== undefined && { method: method.toUpperCase() }),
      ...(path !== undefined && { path }),
      after,
    },
  } as Rule
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
