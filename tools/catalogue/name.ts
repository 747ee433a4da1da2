/**
 * Names for Stripe's operations, by one rule and a short list of exceptions.
 *
 * 1. Where Stripe's SDK description names a method on a resource (`card.create` in `issuing`), the name is verb, package,
 *    resource, and what is left of the method: `create_issuing_card`, `list_checkout_session_line_items`.
 * 2. Where it does not (older routes), the path is read the same way: `create_customer_card`, `close_charge_dispute`.
 * 3. Where two operations would share a name, the one with the longer path is named by rule 2.
 * 4. What only acts in test mode starts with `test_`, so that a pattern finds all of it.
 * 5. Issuing goes by the short name where no other resource ends in that word; the full name stays as an alias. In every
 *    other package the full name is the name, and the short one an alias where it is nobody else's.
 * 6. `get_*` is an alias of `retrieve_*`.
 */

/** One method of a resource, as Stripe's SDK description has it. */
export interface SdkMethod {
  /** `issuing.card` */
  readonly resource: string
  /** `create`, `list_line_items` */
  readonly method: string
}

export interface Route {
  readonly method: string
  readonly path: string
  readonly sdk: readonly SdkMethod[]
}

export interface Named {
  readonly name: string
  readonly aliases: readonly string[]
  /** What the operation does to its collection: `create`, `approve`; `read` for every GET. */
  readonly verb: string
  /** Static path segments, dotted, without the version and without the verb: `issuing.authorizations`. */
  readonly collection: string
}

const PLAIN_VERBS = ['list', 'retrieve', 'create', 'update', 'delete', 'search']

/** Words that the method names of Stripe's description use otherwise than its SDKs do. */
const WORDS: Readonly<Record<string, string>> = { invoiceitem: 'invoice_item' }

/** Packages whose resources are known by their own name. */
const BARE_PACKAGES = new Set(['test_helpers'])

const EXCEPTIONS: Readonly<
  Record<string, { readonly method: string; readonly resource: string; readonly why: string }>
> = {
  'GET /v1/account': {
    method: 'retrieve',
    resource: 'current_account',
    why: "the caller's own account; retrieve_account names one",
  },
  'GET /v1/balance/history': { method: 'list', resource: 'balance_history', why: 'history has no plural' },
  'GET /v1/balance/history/{id}': { method: 'retrieve', resource: 'balance_history', why: 'history has no plural' },
  'POST /v1/application_fees/{id}/refund': {
    method: 'refund',
    resource: 'application_fee',
    why: 'the older twin of create_fee_refund',
  },
  'POST /v1/charges/{charge}/refund': { method: 'refund', resource: 'charge', why: 'the older twin of create_refund' },
  'GET /v1/invoices/{invoice}/lines': {
    method: 'list',
    resource: 'invoice_line_item',
    why: 'line_item alone does not say of what',
  },
  'POST /v1/invoices/{invoice}/lines/{line_item_id}': {
    method: 'update',
    resource: 'invoice_line_item',
    why: 'line_item alone does not say of what',
  },
  'DELETE /v1/customers/{customer}/sources/{id}': {
    method: 'detach',
    resource: 'payment_source',
    why: 'the description lists it under card, bank_account and source; the route serves all of payment_source',
  },
  'POST /v1/customers/{customer}/sources/{id}': {
    method: 'update',
    resource: 'payment_source',
    why: 'the description lists it under card and bank_account; the route serves all of payment_source',
  },
  'POST /v1/customers/{customer}/sources/{id}/verify': {
    method: 'verify',
    resource: 'payment_source',
    why: 'keeps its route together with the other payment_source operations',
  },
  'DELETE /v1/customers/{customer}/subscriptions/{subscription_exposed_id}': {
    method: 'cancel',
    resource: 'customer_subscription',
    why: 'the older twin of cancel_subscription, which is a DELETE too',
  },
  'GET /v1/quotes/{quote}/pdf': { method: 'retrieve', resource: 'quote_pdf', why: 'the method is a noun, pdf' },
  'GET /v1/sources/{source}/source_transactions': {
    method: 'list',
    resource: 'source_transaction',
    why: 'the method is a noun, source_transactions',
  },
  'POST /v1/apps/secrets/delete': { method: 'delete', resource: 'apps.secret', why: 'delete_where says no more' },
  'POST /v1/billing/credit_grants/{id}/void': {
    method: 'void',
    resource: 'billing.credit_grant',
    why: 'void_grant repeats half of the resource',
  },
  'POST /v1/test_helpers/issuing/authorizations/{authorization}/fraud_challenges/respond': {
    method: 'respond_to_fraud_challenge',
    resource: 'issuing.authorization',
    why: 'respond alone does not say to what',
  },
}

/** The one short issuing name that another resource's word would take: agents know it as create_card. */
const SHORT_BY_DECREE = new Set(['issuing.card'])

function plural(word: string): string {
  if (/(history|settings)$/.test(word)) return word
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`
  if (/(s|x|ch|sh)$/.test(word)) return `${word}es`
  return `${word}s`
}

function singular(word: string): string {
  if (word === 'people') return 'person'
  if (/(history|settings)$/.test(word)) return word
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`
  if (word.endsWith('ses')) return word.slice(0, -2)
  return word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word
}

const isParam = (segment: string): boolean => segment.startsWith('{')
const segmentsOf = (path: string): string[] => path.split('/').slice(2)

/** Joins words and drops the overlap between them: `source` and `source_transaction` → `source_transaction`. */
const joinWords = (words: readonly string[]): string =>
  words.reduce((joined, word) => (word === joined || word.startsWith(`${joined}_`) ? word : `${joined}_${word}`))

function nounOf(resource: string, withPackage: boolean): string {
  const parts = resource.split('.').map((part) => WORDS[part] ?? part)
  const bare = parts[parts.length - 1]!
  return withPackage && parts.length > 1 && !BARE_PACKAGES.has(parts[0]!) ? parts.join('_') : bare
}

/** `list_line_items` on `checkout.session` → `list_checkout_session_line_items`. */
function compose(method: string, resource: string, withPackage: boolean): string {
  const noun = nounOf(resource, withPackage)
  const bare = nounOf(resource, false)
  if (method === 'list' || method === 'search') return `${method}_${plural(noun)}`
  const [verb, ...rest] = method.split('_')
  const words = rest.join('_')
  if (!words || words === bare) return `${verb}_${noun}`
  // `set_reader_display` on reader, `deliver_card` on card: the resource is in the method already.
  if (words.startsWith(`${bare.split('_').at(-1)}_`)) return `${verb}_${noun}_${words.split('_').slice(1).join('_')}`
  return `${verb}_${noun}_${words}`
}

/** The method without the resource that some repeat: `void_credit_note` → `void`. */
const verbOf = ({ method, resource }: SdkMethod): string =>
  method.replace(`_${resource.split('.').at(-1)}`, '') || method

/** Which of the description's methods a route is: the one whose resource its path ends in. */
function sdkMethod(route: Route): SdkMethod | undefined {
  const words = segmentsOf(route.path).filter((segment) => !isParam(segment))
  const fits = ({ resource }: SdkMethod): boolean => words.some((word) => singular(word) === resource.split('.').at(-1))
  const plain = route.sdk.filter(({ method }) => PLAIN_VERBS.includes(method))
  return plain.find(fits) ?? plain[0] ?? route.sdk[0]
}

/** The same, read from the path alone. */
function fromPath(route: Route, collections: ReadonlySet<string>): SdkMethod {
  const segments = segmentsOf(route.path)
  const tail = segments.at(-1)!
  const statics = segments.filter((segment) => !isParam(segment))
  const nouns = (words: readonly string[]): string => joinWords(words.map(singular))
  if (isParam(tail)) {
    const method = { GET: 'retrieve', POST: 'update', DELETE: 'delete' }[route.method]!
    return { method, resource: nouns(statics) }
  }
  const isSingleton = singular(tail) === tail
  if (isSingleton && route.method === 'POST' && !collections.has(`GET ${route.path}`)) {
    return { method: tail, resource: nouns(statics.slice(0, -1)) }
  }
  if (isSingleton) {
    const method = { GET: 'retrieve', POST: 'update', DELETE: 'delete' }[route.method]!
    return { method, resource: nouns(statics) }
  }
  return { method: route.method === 'GET' ? 'list' : 'create', resource: nouns(statics) }
}

/** The collection that a route works on; a custom verb's own segments are no part of it. */
function collectionOf(route: Route, method: string, paths: ReadonlySet<string>): string {
  const segments = segmentsOf(route.path)
  const dotted = (parts: readonly string[]): string => parts.filter((part) => !isParam(part)).join('.')
  const isCustom = !PLAIN_VERBS.includes(method) || segments.at(-1) === method
  if (!isCustom || /^(list|retrieve)_/.test(method)) return dotted(segments)
  const lastParam = segments.findLastIndex(isParam)
  if (lastParam >= 0) return dotted(segments.slice(0, lastParam))
  for (let length = segments.length - 1; length > 0; length--) {
    if (paths.has(`/v1/${segments.slice(0, length).join('/')}`)) return dotted(segments.slice(0, length))
  }
  return dotted(segments.length > 1 ? segments.slice(0, -1) : segments)
}

/** Names every route. Throws where two would share a name: then the rule needs an exception, with its reason. */
export function nameAll(routes: readonly Route[]): Map<Route, Named> {
  const paths = new Set(routes.map((route) => route.path))
  const keyOf = (route: Route): string => `${route.method} ${route.path}`
  const keys = new Set(routes.map(keyOf))
  const lastWords = new Map<string, Set<string>>()
  for (const { resource } of routes.flatMap((route) => route.sdk)) {
    const word = resource.split('.').at(-1)!
    lastWords.set(word, (lastWords.get(word) ?? new Set()).add(resource))
  }
  const isShort = (resource: string): boolean =>
    resource.startsWith('issuing.') &&
    (SHORT_BY_DECREE.has(resource) || (lastWords.get(resource.split('.')[1]!)?.size ?? 1) === 1)

  const full = new Map<Route, SdkMethod>()
  const taken = new Map<string, Route>()
  const nameOf = (route: Route, { method, resource }: SdkMethod): string => {
    const inTest = route.path.startsWith('/v1/test_helpers/') && !resource.startsWith('test_helpers.')
    const name = compose(method, resource, !isShort(resource) || inTest)
    return inTest ? `test_${name.replace('_test_helper_', '_')}` : name
  }
  const claim = (route: Route, chosen: SdkMethod): void => {
    const name = nameOf(route, chosen)
    const other = taken.get(name)
    if (other) throw new Error(`${keyOf(route)} and ${keyOf(other)} would both be ${name}`)
    taken.set(name, route)
    full.set(route, chosen)
  }

  const byLength = [...routes].sort(
    (a, b) => a.path.split('/').length - b.path.split('/').length || (keyOf(a) < keyOf(b) ? -1 : 1),
  )
  const later: Route[] = []
  for (const route of byLength) {
    const chosen = EXCEPTIONS[keyOf(route)] ?? sdkMethod(route)
    if (chosen && !taken.has(nameOf(route, chosen))) claim(route, chosen)
    else later.push(route)
  }
  for (const route of later) claim(route, fromPath(route, keys))

  const named = new Map<Route, Named>()
  const allNames = new Set(taken.keys())
  for (const route of routes) {
    const chosen = full.get(route)!
    const name = nameOf(route, chosen)
    const aliases = new Set<string>()
    if (!name.startsWith('test_')) {
      const long = compose(chosen.method, chosen.resource, true)
      if (!allNames.has(long)) aliases.add(long)
      const isAlone = lastWords.get(chosen.resource.split('.').at(-1)!)?.size === 1
      const short = compose(chosen.method, chosen.resource, false)
      if (isAlone && !allNames.has(short)) aliases.add(short)
    }
    for (const each of [name, ...aliases]) {
      if (each.startsWith('retrieve_')) aliases.add(each.replace('retrieve_', 'get_'))
    }
    const collection = collectionOf(route, chosen.method, paths)
    const verb = route.method === 'GET' ? 'read' : verbOf(chosen)
    named.set(route, { name, aliases: [...aliases].sort(), verb, collection })
  }
  return named
}
