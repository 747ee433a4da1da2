import { readdirSync } from 'node:fs'
import type { Facts, JsonObject, Lookup, Operation, Params } from '../model/operation.ts'
import { type Refusal, refuse } from '../model/refusal.ts'
import { closest } from './closest.ts'
import { buildEntries, type Entry } from './entry.ts'
import { factsOf, nextLookup, type Objects } from './facts.ts'
import { type Provider, readDescription } from './provider.ts'
import { redact, redactText } from './redact.ts'
import { buildRouter, type Router } from './route.ts'
import { endsOf, trailsOf } from './trail.ts'
import { validate } from './validate.ts'

export interface Catalogue {
  readonly providers: readonly Provider[]
  provider(name: string): Provider | undefined
  /** Sorted by name; those of one provider, or of all. */
  operations(provider?: string): readonly Operation[]
  /** By name or alias. Refuses with `unknown_provider` or `unknown_operation`. */
  resolve(provider: string, name: string): Operation | Refusal
  /** By method and raw path, query excluded or not. Refuses with `bad_path`, `unknown_provider` or `unknown_operation`. */
  resolveRoute(
    provider: string,
    method: string,
    rawPath: string,
  ): { readonly operation: Operation; readonly pathParams: Readonly<Record<string, string>> } | Refusal
  /** Params as one tree in normal form. Refuses with `invalid_params` or `request_too_large`. */
  validate(operation: Operation, params: unknown): Params | Refusal
  /** The next object to read before `facts`; ask again with its answer under `as`, until null. */
  nextLookup(operation: Operation, params: Params, objects: Objects): Lookup | null
  /** A costed operation without `amount` in its facts has a price that nobody knows: refuse it. */
  facts(operation: Operation, params: Params, objects: Objects): Facts
  /** Params that policy denies unless a rule allows them, of those that were sent: `payment_intent_data.on_behalf_of`. */
  guarded(operation: Operation, params: Params): readonly string[]
  /** A copy for audit lines and logs; the operation's own pointers, and more where policy asks. */
  redact(operation: Operation, json: JsonObject, extra?: readonly string[]): JsonObject
}

interface Shelf {
  readonly provider: Provider
  readonly entries: readonly Entry[]
  readonly byName: ReadonlyMap<string, Entry>
  readonly route: Router
}

function readShelf(dir: string, file: string): Shelf {
  const description = readDescription(dir, file)
  const { rules } = description
  const entries = buildEntries(description)
  const byName = new Map<string, Entry>()
  for (const entry of entries) {
    for (const name of [entry.operation.name, ...entry.operation.aliases]) {
      if (byName.has(name)) throw new Error(`${rules.provider}: two operations are called ${name}`)
      byName.set(name, entry)
    }
  }
  const { provider: name, title, origin, hosts, encoding } = rules
  const groups = rules.groups.map(({ group, about }) => ({ group, about }))
  const { api_version } = description
  return {
    provider: { name, title, origin, hosts, api_version, encoding, groups },
    entries,
    byName,
    route: buildRouter(name, entries),
  }
}

/** Reads every provider of the folder (`schemas/providers`). Throws where one is missing, broken or incomplete. */
export function loadCatalogue(dir: string): Catalogue {
  const files = readdirSync(dir).filter((file) => file.endsWith('.json'))
  const shelves = new Map(
    files
      .sort()
      .map((file) => readShelf(dir, file))
      .map((shelf) => [shelf.provider.name, shelf]),
  )
  const entries = new Map([...shelves.values()].flatMap((shelf) => shelf.entries.map((each) => [each.operation, each])))
  const all = [...entries.keys()]
  const entryOf = (operation: Operation): Entry => {
    const entry = entries.get(operation)
    if (!entry) throw new Error(`${operation.provider} ${operation.name} is not of this catalogue`)
    return entry
  }
  const unknownProvider = (name: string): Refusal => {
    const known = [...shelves.keys()].join(', ')
    return refuse('unknown_provider', `There is no provider ${JSON.stringify(name.slice(0, 40))}; there are: ${known}.`)
  }

  return {
    providers: [...shelves.values()].map(({ provider }) => provider),
    provider: (name) => shelves.get(name)?.provider,
    operations: (name) => (name === undefined ? all : (shelves.get(name)?.entries.map((each) => each.operation) ?? [])),
    resolve(provider, name) {
      const shelf = shelves.get(provider)
      if (!shelf) return unknownProvider(provider)
      const entry = shelf.byName.get(name)
      if (entry) return entry.operation
      const meant = closest(name, shelf.byName.keys())
      const sent = JSON.stringify(redactText(name).slice(0, 80))
      return refuse(
        'unknown_operation',
        `${provider} has no operation ${sent}${meant ? `; did you mean ${meant}?` : '.'}`,
      )
    },
    resolveRoute(provider, method, rawPath) {
      const shelf = shelves.get(provider)
      if (!shelf) return unknownProvider(provider)
      const routed = shelf.route(method, rawPath)
      return 'refused' in routed ? routed : { operation: routed.entry.operation, pathParams: routed.pathParams }
    },
    validate: (operation, params) => validate(entryOf(operation), params),
    nextLookup: (operation, params, objects) => nextLookup(entryOf(operation), params, objects),
    facts: (operation, params, objects) => factsOf(entryOf(operation), params, objects),
    guarded: (operation, params) => endsOf(params, trailsOf(entryOf(operation).guarded)),
    redact: (operation, json, extra = []) =>
      redact(json, extra.length ? [...operation.redact, ...extra] : operation.redact),
  }
}
