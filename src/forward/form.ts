/** Stripe's bracket form: `items[0][price]=p&metadata[order]=7`. Pairs keep the tree's own order, as the official SDK's do. */
import type { Json, JsonObject } from '../model/operation.ts'

/** A tree that the form cannot carry without changing what it means. The text names the param and says why. */
export class Inexpressible extends Error {}

/**
 * `null` and `''` are sent as an empty value, which unsets; empty lists and objects send nothing.
 * Throws `Inexpressible` for a name with brackets (it would be read as another tree), for text that is not valid
 * Unicode, and for numbers that have no plain decimal form.
 */
export function form(tree: JsonObject): string {
  const pairs: string[] = []
  const write = (name: string, value: Json): void => {
    if (typeof value !== 'object' || value === null) {
      pairs.push(`${name}=${percent(plain(name, value), name)}`)
    } else if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) write(`${name}[${index}]`, item)
    } else {
      for (const [key, item] of Object.entries(value)) write(`${name}[${part(key)}]`, item)
    }
  }
  for (const [key, value] of Object.entries(tree)) write(part(key), value)
  return pairs.join('&')
}

/** Everything but RFC 3986's unreserved characters. */
export function percent(text: string, name: string): string {
  try {
    return encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
  } catch {
    throw new Inexpressible(`${name} is not valid Unicode (it has half of a surrogate pair)`)
  }
}

/** Form parsers split names after they decode them, so that a bracket in a name cannot be escaped. */
function part(key: string): string {
  if (/[[\]]/.test(key)) throw new Inexpressible(`the name ${JSON.stringify(key)} has square brackets`)
  return percent(key, JSON.stringify(key))
}

export function plain(name: string, value: null | boolean | number | string): string {
  const text = value === null ? '' : String(value)
  if (typeof value === 'number' && !/^-?\d+(\.\d+)?$/.test(text)) {
    throw new Inexpressible(`${name} is a number without a plain decimal form (${text})`)
  }
  return text
}
