/** Turns a schema of Stripe's OpenAPI 3.0 description into compact JSON Schema 2020-12 that accepts the same params. */

export interface Schema {
  readonly type?: string
  readonly format?: string
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly properties?: Record<string, Schema>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly additionalProperties?: boolean | Schema
  readonly maxLength?: number
  readonly description?: string | undefined
  readonly const?: unknown
}

interface Options {
  /** Whether to keep the first sentence of the description: for the params that a reader chooses first. */
  readonly describe?: boolean
}

const DESCRIPTION_LENGTH_MAX = 160

/** Formats that say more than the type: `unix-time` on an integer does not. */
const FORMATS = new Set(['currency', 'decimal'])

export function objectOf(properties: Record<string, Schema>, required: readonly string[]): Schema {
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1))),
    ...(required.length ? { required: [...required].sort() } : {}),
    additionalProperties: false,
  }
}

const isEmptyString = (schema: Schema): boolean => schema.enum?.length === 1 && schema.enum[0] === ''

function firstSentence(description: string | undefined): string | undefined {
  const plain = (description ?? '')
    .replace(/<[^>]+>/g, '')
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replace(/\s+/g, ' ')
    .trim()
  const sentence = plain.split(/(?<=[a-z)`]\.)\s/)[0]!
  return sentence && sentence.length <= DESCRIPTION_LENGTH_MAX ? sentence : undefined
}

export function compact(schema: Schema, { describe = false }: Options = {}): Schema {
  const description = describe ? firstSentence(schema.description) : undefined
  return { ...shapeOf(schema), ...(description ? { description } : {}) }
}

function shapeOf(schema: Schema): Schema {
  if (schema.anyOf) {
    // An empty string unsets a value. A free string takes it anyway; beside anything else it stays a branch of its own.
    const branches = schema.anyOf.filter((branch) => !isEmptyString(branch)).map((branch) => compact(branch))
    const [only] = branches
    if (branches.length === schema.anyOf.length) return { anyOf: branches }
    if (only && branches.length === 1 && only.type === 'string' && !only.enum && !only.format) return only
    return { anyOf: [...branches, { const: '' }] }
  }
  if (schema.enum) return { enum: schema.enum }
  if (schema.type === 'array') return { type: 'array', items: compact(schema.items ?? {}) }
  if (schema.type === 'object') {
    if (schema.properties) {
      const properties = Object.entries(schema.properties).map(([name, property]) => [name, compact(property)] as const)
      return objectOf(Object.fromEntries(properties), schema.required ?? [])
    }
    const additionalProperties =
      typeof schema.additionalProperties === 'object'
        ? compact(schema.additionalProperties)
        : schema.additionalProperties
    return { type: 'object', ...(additionalProperties === undefined ? {} : { additionalProperties }) }
  }
  return {
    ...(schema.type ? { type: schema.type } : {}),
    ...(schema.format && FORMATS.has(schema.format) ? { format: schema.format } : {}),
    ...(schema.maxLength ? { maxLength: schema.maxLength } : {}),
  }
}
