/** What is kept of an answer: its JSON, exactly, and the headers that the provider's SDK reads. */
import type { Json } from '../model/operation.ts'

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * Undefined for what is not JSON. An integer beyond 2^53 becomes its decimal digits as a string: `JSON.parse` would
 * round it, and an amount or id that is wrong in its last digits is worse than one of another type.
 */
export function parseJson(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text)
    return LONG_INTEGER.test(text) ? JSON.parse(quoteLongIntegers(text)) : value
  } catch {
    return undefined
  }
}

const LONG_INTEGER = /\d{16}/
const STRING_OR_NUMBER = /"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
const STRING_END_OR_ESCAPE = /["\\]/g

/** `text` is valid JSON. In steps, as one pattern for a whole string overflows on strings of a few megabytes. */
function quoteLongIntegers(text: string): string {
  let result = ''
  let copied = 0
  const token = new RegExp(STRING_OR_NUMBER)
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [found] = match
    if (found === '"') {
      token.lastIndex = endOfString(text, token.lastIndex)
    } else if (/^-?\d{16,}$/.test(found) && !Number.isSafeInteger(Number(found))) {
      result += `${text.slice(copied, match.index)}"${found}"`
      copied = token.lastIndex
    }
  }
  return result + text.slice(copied)
}

/** The index after the closing quote. `from` is the index after the opening one. */
function endOfString(text: string, from: number): number {
  const mark = new RegExp(STRING_END_OR_ESCAPE)
  mark.lastIndex = from
  while (mark.exec(text)?.[0] === '\\') mark.lastIndex += 1
  return mark.lastIndex
}

/** Providers echo credentials in their errors; an agent or a log must not learn one that way. */
export const withoutSecret = (text: string, secret: string): string => text.replaceAll(secret, '[credential]')

export function pick(headers: Headers, names: readonly string[]): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of names) {
    const value = header(headers, name)
    if (value !== undefined) kept[name] = value
  }
  return kept
}

export function header(headers: Headers, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.[0]
}
