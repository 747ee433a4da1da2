/** Copies a tree without what an audit line or a log must not show. */
import type { Json, JsonObject } from '../model/operation.ts'

export const REDACTED = '[redacted]'

/** Secrets that are dangerous wherever they stand: provider keys, signing secrets, client secrets, vault keys. */
const SECRETS =
  /\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{6,}|\bwhsec_[A-Za-z0-9+/=]{6,}|\b[a-z]+_[A-Za-z0-9]+_secret_[A-Za-z0-9]+|\bcs_(?!test_|live_)[A-Za-z0-9_-]{16,}/g

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

interface Trail {
  readonly steps: readonly string[]
  readonly at: number
}

/** The trails that go on below `key`; null where one ends here, so that the value goes. */
function follow(trails: readonly Trail[], key: string): Trail[] | null {
  const below: Trail[] = []
  const pending = [...trails]
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { steps, at } = next
    const step = steps[at]!
    if (step === '**') {
      below.push(next)
      pending.push({ steps, at: at + 1 })
    } else if (step === '*' || step === key) {
      if (at + 1 === steps.length) return null
      below.push({ steps, at: at + 1 })
    }
  }
  return below
}

function copy(value: Json, trails: readonly Trail[]): Json {
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

/** Pointers are dotted; `*` is any key or index, `**` any depth. An empty or absent value is blotted out like any other. */
export const redact = (json: JsonObject, pointers: readonly string[]): JsonObject =>
  copy(
    json,
    pointers.map((pointer) => ({ steps: pointer.split('.'), at: 0 })),
  ) as JsonObject
