/** Reads a JSON body so that nothing in it can be read in two ways. */
import { isUtf8 } from 'node:buffer'
import type { JsonObject } from '../model/operation.ts'
import { type Refusal, refuse } from '../model/refusal.ts'
import { isObject } from './pointer.ts'
import { isForbiddenName, wrongWith } from './text.ts'

export interface Limits {
  /** Objects and arrays inside each other. */
  readonly depth_max: number
  /** Names and array elements together. */
  readonly params_max: number
}

export const LIMITS: Limits = { depth_max: 32, params_max: 1000 }

/** Valid UTF-8 as text; undefined for anything else. */
export const textOf = (bytes: Buffer | string): string | undefined => {
  if (typeof bytes === 'string') return bytes
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined
}

const malformed = (detail: string): Refusal => refuse('malformed_request', detail)

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** The index of the quote that closes the string opened at `start`. The text is valid JSON. */
function closingQuote(text: string, start: number): number {
  let at = start + 1
  while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1
  return at
}

const NUMBER = /-?[0-9][0-9.eE+-]*/y

/**
 * A number must mean one thing to everyone: no exponent, no fraction that is none (`5000.0`), no minus zero, and no integer
 * that loses digits as a double.
 */
function wrongNumber(token: string): string | undefined {
  if (/[eE]/.test(token)) return `the number ${token} has an exponent`
  if (token.startsWith('-') && Number(token) === 0) return `${token} is a minus zero`
  if (!Number.isFinite(Number(token))) return `the number ${token.slice(0, 20)}… is beyond any that can be sent`
  const isWhole = Number.isInteger(Number(token))
  if (isWhole && token.includes('.')) return `the number ${token} has a fraction of zero; write it without`
  if (isWhole && !Number.isSafeInteger(Number(token))) return `the number ${token.slice(0, 20)} is beyond 2^53 - 1`
  return undefined
}

/** In valid JSON only an escape, a DEL or a surrogate can make a string wrong: most bodies have none, anywhere. */
const SUSPICIOUS = /[\\\u007f\ud800-\udfff]/

/** Looks at the text of valid JSON for what JSON.parse passes over in silence. Each body comes through here. */
function inspect(text: string, limits: Limits): Refusal | undefined {
  /** The names so far in each object that is open; null for an array. */
  const outer: (Set<string> | null)[] = []
  let names: Set<string> | null = null
  const suspicious = SUSPICIOUS.test(text)
  let count = 0
  let atName = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = closingQuote(text, at)
      const raw = text.slice(at + 1, end)
      const content = raw.includes('\\') ? (JSON.parse(text.slice(at, end + 1)) as string) : raw
      const wrong = suspicious && wrongWith(content)
      if (wrong) return malformed(`A ${atName ? 'name' : 'string'} in the body ${wrong}.`)
      if (atName) {
        if (isForbiddenName(content)) return malformed(`The body has the name ${content}, which is no param's.`)
        if (names!.has(content))
          return malformed(`The body has the name ${JSON.stringify(content)} twice in one object.`)
        names!.add(content)
        atName = false
        count++
      }
      at = end
    } else if (code === COMMA) {
      atName = names !== null
      if (!atName) count++
    } else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      NUMBER.lastIndex = at
      const token = NUMBER.exec(text)![0]
      const wrong = wrongNumber(token)
      if (wrong) return malformed(`In the body, ${wrong}.`)
      at += token.length - 1
    } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      outer.push(names)
      atName = code === OPEN_OBJECT
      names = atName ? new Set() : null
      if (outer.length > limits.depth_max)
        return refuse('request_too_large', `The body is nested deeper than ${limits.depth_max} levels.`)
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      names = outer.pop()!
    }
    if (count > limits.params_max)
      return refuse('request_too_large', `The body has more than ${limits.params_max} params.`)
  }
  return undefined
}

/** One JSON object, or a refusal: `malformed_request`, or `request_too_large` beyond the limits. */
export function parseJson(bytes: Buffer | string, limits: Limits = LIMITS): JsonObject | Refusal {
  const text = textOf(bytes)
  if (text === undefined) return malformed('The body is not valid UTF-8.')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return malformed('The body is not valid JSON.')
  }
  if (!isObject(value)) return malformed('The body is not a JSON object.')
  return inspect(text, limits) ?? value
}
