/** What a condition reads, as it was for one call: from the input, and from the variables that the trace shows bound. */
import type { Place } from './toolchain.ts'

export interface Value {
  readonly name: string
  /** JSON, or `absent`. */
  readonly was: string
}

const INPUT_REF = /\binput(?:\.[A-Za-z_]\w*|\["[^"]*"\]|\[\d+\])+/g
const LOCAL_REF = /(?<![\w."])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?![\w("])/g
const CHARS_MAX = 120
/** One variable's values, where a rule tries several. */
const VALUES_MAX = 3

export function valuesIn(text: string, input: object, bound: ReadonlyMap<string, readonly string[]>): readonly Value[] {
  const values = new Map<string, string>()
  for (const [ref] of text.matchAll(INPUT_REF)) values.set(ref, shown(follow(input, stepsOf(ref))))
  for (const [ref] of text.matchAll(LOCAL_REF)) {
    const [name, ...steps] = ref.split('.')
    const texts = bound.get(name!)
    if (texts) values.set(ref, texts.map((each) => within(each, steps)).join(', '))
  }
  return [...values].map(([name, was]) => ({ name, was }))
}

const stepsOf = (ref: string): readonly string[] =>
  [...ref.matchAll(/\.([A-Za-z_]\w*)|\["([^"]*)"\]|\[(\d+)\]/g)].map((step) => (step[1] ?? step[2] ?? step[3])!)

function follow(value: unknown, steps: readonly string[]): unknown {
  let at = value
  for (const step of steps) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined
    at = (at as Record<string, unknown>)[step]
  }
  return at
}

function shown(value: unknown): string {
  if (value === undefined) return 'absent'
  const text = JSON.stringify(value)
  return text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX)}…` : text
}

function within(text: string, steps: readonly string[]): string {
  if (steps.length === 0) return text.length > CHARS_MAX ? `${text.slice(0, CHARS_MAX)}…` : text
  try {
    return shown(follow(JSON.parse(text), steps))
  } catch {
    // A set, which JSON has not.
    return text
  }
}

/** A line of OPA's trace: `tool_decision.rego:24     | | | Fail lt(hour, 3)`. */
const LINE = /^(\S+):(\d+)\s+((?:\| )*)(\w+) (.*)$/

/** The variables of the rule in which a condition failed, each with the values that it had whenever it failed. */
export function boundIn(trace: string, { file, row }: Place): ReadonlyMap<string, readonly string[]> {
  const bound = new Map<string, string[]>()
  const lines = trace.split('\n').map((line) => LINE.exec(line))
  for (const [at, line] of lines.entries()) {
    if (line?.[4] !== 'Fail' || Number(line[2]) !== row || !isFile(line[1]!, file)) continue
    const seen = new Set<string>()
    for (let back = at - 1; back >= 0; back -= 1) {
      const other = lines[back]
      if (!other) continue
      if (other[4] === 'Enter' && other[3]!.length < line[3]!.length) break
      if (other[4] !== 'Unify' || other[3] !== line[3]) continue
      const [name, value] = binding(other[5]!) ?? []
      if (name === undefined || value === undefined || seen.has(name)) continue
      seen.add(name)
      const values = bound.get(name) ?? []
      if (!values.includes(value) && values.length < VALUES_MAX) values.push(value)
      bound.set(name, values)
    }
  }
  return bound
}

/** Either side may be the variable; what OPA named itself, or only refers to a value, tells a reader nothing. */
function binding(unified: string): readonly [string, string] | undefined {
  const [, left = '', right = ''] = /^(.*?) = (.*)$/s.exec(unified) ?? []
  const telling = (value: string) => value !== '' && !/__local|^(?:input|data)\b/.test(value) && !isName(value)
  if (isName(left) && telling(right)) return [left, right]
  return isName(right) && telling(left) ? [right, left] : undefined
}

const isName = (text: string): boolean => /^[A-Za-z_]\w*$/.test(text) && !/^(?:_.*|true|false|null)$/.test(text)

/** OPA shortens long names from the left. */
const isFile = (shownAs: string, file: string): boolean => file.endsWith(shownAs.replace(/^\.\.\.|^…/, ''))
