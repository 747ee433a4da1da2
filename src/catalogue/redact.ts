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

/** Pointers made ready: most are one name at any depth, and a set finds those at once. */
interface Pointers {
  readonly names: ReadonlySet<string>
  readonly trails: readonly Trail[]
}

const compiled = new WeakMap<readonly string[], Pointers>()

function compile(pointers: readonly string[]): Pointers {
  const known = compiled.get(pointers)
  if (known) return known
  const isName = (pointer: string): boolean => /^\*\*\.[^.*]+$/.test(pointer)
  const made = {
    names: new Set(pointers.filter(isName).map((pointer) => pointer.slice('**.'.length))),
    trails: pointers.filter((pointer) => !isName(pointer)).map((pointer) => ({ steps: pointer.split('.'), at: 0 })),
  }
  compiled.set(pointers, made)
  return made
}

/** The trails that go on below `key`; null where one ends here, so that the value goes. */
function follow(trails: readonly Trail[], key: string): readonly Trail[] | null {
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

function copy(value: Json, names: ReadonlySet<string>, trails: readonly Trail[]): Json {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'number') {
    const digits = String(value)
    return digits.length >= 14 && /^[0-9]+$/.test(digits) && isCardNumber(digits) ? REDACTED : value
  }
  if (typeof value !== 'object' || value === null) return value
  const child = (key: string, each: Json): Json => {
    const below = names.has(key) ? null : follow(trails, key)
    return below ? copy(each, names, below) : REDACTED
  }
  if (Array.isArray(value)) return value.map((each: Json, index) => child(String(index), each))
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([key, each]) => [redactText(key), child(key, each)]),
  )
}

/** Pointers are dotted; `*` is any key or index, `**` any depth. An empty value is blotted out like any other. */
export function redact(json: JsonObject, pointers: readonly string[]): JsonObject {
  const { names, trails } = compile(pointers)
  return copy(json, names, trails) as JsonObject
}
