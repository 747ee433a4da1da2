/** The least that an operation's params schema takes: its required params, each as small as its schema allows. */
import type { Json, JsonSchema } from '../../src/model/operation.ts'

const FORMATS: Readonly<Record<string, string>> = { currency: 'usd', decimal: '1.00' }

export function minimal(schema: JsonSchema, outermost = true): Json {
  const {
    type,
    format,
    anyOf,
    properties = {},
    required = [],
    items,
  } = schema as {
    readonly type?: string
    readonly format?: string
    readonly enum?: readonly Json[]
    readonly const?: Json
    readonly anyOf?: readonly JsonSchema[]
    readonly properties?: Readonly<Record<string, JsonSchema>>
    readonly required?: readonly string[]
    readonly items?: JsonSchema
  }
  if (schema.const !== undefined) return schema.const as Json
  if (Array.isArray(schema.enum)) return (schema.enum as Json[]).find((each) => each !== '') ?? ''
  if (anyOf) return minimal(anyOf[0]!, outermost)
  if (type === 'object') {
    // A form cannot carry an object without content, so one whose every name is optional takes the first.
    const names = required.length > 0 || outermost ? required : Object.keys(properties).slice(0, 1)
    const content = names.map((name) => [name, minimal(properties[name]!, false)] as const)
    return content.length > 0 || outermost ? Object.fromEntries(content) : { key: 'value' }
  }
  if (type === 'array') return [minimal(items ?? {}, false)]
  if (type === 'integer' || type === 'number') return 100
  if (type === 'boolean') return true
  return FORMATS[format ?? ''] ?? 'x_123'
}
