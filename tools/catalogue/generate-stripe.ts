/**
 * Writes schemas/providers/stripe.json from Stripe's published OpenAPI description, which the Go module
 * github.com/stripe/stripe-mock carries, and from stripe.yaml. Run: `npx tsx tools/catalogue/generate-stripe.ts` (needs Go,
 * for the download). The output is sorted and depends on the module's version and stripe.yaml alone. After a change of
 * stripe.yaml only, `npx tsx tools/catalogue/rules.ts` does it without Go.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expandGraph, type ResponseSchema, targets } from './expand.ts'
import { nameAll, type Route, type SdkMethod } from './name.ts'
import { rulesLine } from './rules.ts'
import { compact, objectOf, type Schema } from './schema.ts'

const MODULE = 'github.com/stripe/stripe-mock@v0.203.0'
const RULES = join(import.meta.dirname, '../../schemas/providers/stripe.yaml')
export const OUTPUT = join(import.meta.dirname, '../../schemas/providers/stripe.json')

interface OpenApi {
  readonly info: { readonly version: string }
  readonly paths: Record<string, Record<string, OpenApiOperation>>
  readonly components: { readonly schemas: Record<string, ComponentSchema> }
}

interface OpenApiOperation {
  readonly summary?: string
  readonly description?: string
  readonly parameters?: readonly {
    name: string
    in: string
    required?: boolean
    schema: Schema
    description?: string
  }[]
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Schema }> }
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: ResponseSchema }> }>
}

interface ComponentSchema extends ResponseSchema {
  readonly 'x-stripeOperations'?: readonly { method_name: string; method_on: string; operation: string; path: string }[]
}

const moduleDir = (): string => {
  const answer = execFileSync('go', ['mod', 'download', '-json', MODULE], { encoding: 'utf8', cwd: '/' })
  return (JSON.parse(answer) as { Dir: string }).Dir
}

const readSpec = (dir: string, file: string): OpenApi =>
  JSON.parse(readFileSync(join(dir, 'embedded/openapi', file), 'utf8')) as OpenApi

/** Methods by `get /v1/charges/{charge}`; those on a service only, as the collection's repeat them. */
function sdkMethods(spec: OpenApi): Map<string, SdkMethod[]> {
  const methods = new Map<string, SdkMethod[]>()
  for (const [resource, schema] of Object.entries(spec.components.schemas)) {
    for (const each of schema['x-stripeOperations'] ?? []) {
      if (each.method_on !== 'service') continue
      const key = `${each.operation} ${each.path}`
      methods.set(key, [...(methods.get(key) ?? []), { resource, method: each.method_name }])
    }
  }
  return methods
}

/** Path, query and body params as one flat object: callers name params, not where they travel. */
function paramsOf({ parameters = [], requestBody }: OpenApiOperation): Schema {
  const properties: Record<string, Schema> = {}
  const required = new Set<string>()
  for (const each of parameters) {
    properties[each.name] = compact({ ...each.schema, description: each.description }, { describe: true })
    if (each.required) required.add(each.name)
  }
  for (const { schema } of Object.values(requestBody?.content ?? {})) {
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      properties[name] = compact(property, { describe: true })
    }
    for (const name of schema.required ?? []) required.add(name)
  }
  return objectOf(properties, [...required])
}

const sentence = (operation: OpenApiOperation): string =>
  operation.summary ??
  (operation.description ?? '')
    .replace(/<[^>]+>/g, '')
    .split(/(?<=\.)\s/)[0]!
    .trim()

export function generateStripe(): string {
  const dir = moduleDir()
  const spec = readSpec(dir, 'spec3.json')
  const methods = sdkMethods(readSpec(dir, 'spec3.beta.sdk.json'))
  const operations = new Map<Route, OpenApiOperation>()
  for (const [path, item] of Object.entries(spec.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      operations.set({ method: method.toUpperCase(), path, sdk: methods.get(`${method} ${path}`) ?? [] }, operation)
    }
  }
  const named = nameAll([...operations.keys()])
  const lines = [...operations]
    .map(([route, operation]) => {
      const { name, aliases, verb, collection } = named.get(route)!
      const { method, path } = route
      const answer = operation.responses['200']?.content?.['application/json']?.schema
      const returns = answer ? targets(answer, spec.components.schemas) : []
      const params = paramsOf(operation)
      return { name, aliases, method, path, verb, collection, returns, summary: sentence(operation), params }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((operation) => JSON.stringify(operation))
  const head = { provider: 'stripe', api_version: spec.info.version, source: MODULE }
  const expandable = Object.entries(expandGraph(spec.components.schemas)).map(
    ([component, fields]) => `${JSON.stringify(component)}:${JSON.stringify(fields)}`,
  )
  // One operation a line, so that a new version of the description shows as a readable diff.
  return [
    `${JSON.stringify(head).slice(0, -1)},`,
    rulesLine(RULES),
    `"expandable":{\n${expandable.join(',\n')}\n},`,
    `"operations":[\n${lines.join(',\n')}\n]}\n`,
  ].join('\n')
}

if (process.argv[1] === import.meta.filename) writeFileSync(OUTPUT, generateStripe())
