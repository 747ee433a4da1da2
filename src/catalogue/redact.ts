/** Copies a tree without what an audit line or a log must not show. */
import type { Json, JsonObject } from '../model/operation.ts'
import { follow, type Trails, trailsOf } from './trail.ts'

const REDACTED = '[redacted]'

/** Secrets that are dangerous wherever they stand: provider keys, signing secrets, client secrets, vault keys. */
const SECRETS =
  /(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{6,}|whsec_[A-Za-z0-9+/=]{6,}|[A-Za-z0-9]+_[A-Za-z0-9]+_secret_[A-Za-z0-9]+|(?<![A-Za-z0-9])cs_(?!test_|live_)[A-Za-z0-9_-]{16,}/g

const CARD_NUMBER = /(?<![0-9])[0-9](?:[ -]?[0-9]){12,18}(?![0-9])/g

/** The check digit that every card number has. */
function isCardNumber(digits: string): boolean {
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    const digit = Number(digits[digits.length - 1 - index])
    const doubled = index % 2 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

/** The text with every secret in it blotted out. */
export function redactText(text: string): string {
  if (text.length < 10) return text
  return text
    .replace(SECRETS, REDACTED)
    .replace(CARD_NUMBER, (found) => (isCardNumber(found.replace(/[ -]/g, '')) ? REDACTED : found))
}

function copy(value: Json, trails: Trails): Json {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'number') {
    const digits = String(value)
    return digits.length >= 14 && /^[0-9]+$/.test(digits) && isCardNumber(digits) ? REDACTED : value
  }
  if (typeof value !== 'object' || value === null) return value
  const child = (key: string, each: Json): Json => {
    const below = follow(trails, key)
    return below ? copy(each, below) : REDACTED
  }
  if (Array.isArray(value)) return value.map((each: Json, index) => child(String(index), each))
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([key, each]) => [redactText(key), child(key, each)]),
  )
}

/** Pointers are dotted; `*` is any key or index, `**` any depth. An empty value is blotted out like any other. */
export const redact = (json: JsonObject, pointers: readonly string[]): JsonObject =>
  copy(json, trailsOf(pointers)) as JsonObject
