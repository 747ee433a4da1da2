/** What is kept of an answer: its JSON, exactly, and the headers that the provider's SDK reads. */
import type { Json } from '../model/operation.ts'

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** Strings are matched to be skipped; the bare integers between them are what is looked for. */
const STRING_OR_LONG_INTEGER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d{16,}(?![\d.eE])/g

/**
 * Undefined for what is not JSON. An integer beyond 2^53 becomes its decimal digits as a string: `JSON.parse` would
 * round it, and an amount or id that is wrong in its last digits is worse than one of another type.
 */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(/\d{16}/.test(text) ? quoteLongIntegers(text) : text)
  } catch {
    return undefined
  }
}

const quoteLongIntegers = (text: string): string =>
  text.replace(STRING_OR_LONG_INTEGER, (token) =>
    token.startsWith('"') || Number.isSafeInteger(Number(token)) ? token : `"${token}"`,
  )

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
