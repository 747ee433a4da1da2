/**
 * Which allow rules came closest to a call that none of them covers, and what each one lacked. OPA stops at the first
 * condition of a rule that does not hold; so that condition is taken for true, in place, and the rule is asked again, until
 * it fires. What had to be taken for true is what was missing.
 */
import type { DecisionInput } from '../model/decision.ts'
import { headAbove, type RuleHead, ruleHeads } from './rule-heads.ts'
import type { PolicySources } from './sources.ts'
import { type Evaluation, evaluateRego, type Place, type RegoFile } from './toolchain.ts'
import { boundIn, type Value, valuesIn } from './values.ts'

/** A condition that did not hold. */
export interface Missing {
  /** As the operator knows it. */
  readonly file: string
  readonly row: number
  readonly text: string
  /** What it reads, as it was for this call. */
  readonly values: readonly Value[]
  /** Where it asks another rule: what that one lacked. */
  readonly within: readonly Missing[]
}

export interface NearMiss {
  readonly file: string
  readonly row: number
  readonly missing: readonly Missing[]
  /** False: conditions below the last one build on it, and could not be tried. */
  readonly complete: boolean
}

export interface NearMisses {
  /** Rules that speak of this operation or its group, or of any; the fewest missing first. */
  readonly closest: readonly NearMiss[]
  /** Rules that speak of other calls. */
  readonly others: number
}

const RULE = 'tool_decision.allow'
const PACKAGE = 'tool_decision.'
/** Conditions of one rule that are taken for true, at most. */
const ROUNDS_MAX = 8
const WITHIN_MAX = 3

/** A rule with such a condition missing is about another call, not about another agent or amount. */
const WHICH_CALL = /\binput\.(?:provider|operation|group|effect|action|resource|method|path)\b/

interface Rule {
  readonly module: RegoFile
  readonly row: number
  readonly missing: { readonly place: Place; readonly condition: Missing }[]
  complete: boolean
  done: boolean
}

export async function nearMisses(sources: PolicySources, input: DecisionInput): Promise<NearMisses> {
  const own = sources.modules.filter(({ path, source }) => !path.startsWith('countersign/') && isOperators(source))
  const heads = new Map(own.map(({ path, source }) => [path, ruleHeads(source)]))
  const rules = own.flatMap((module): Rule[] =>
    heads
      .get(module.path)!
      .filter(({ name }) => name === 'allow')
      .map(({ row }) => ({ module, row, missing: [], complete: true, done: false })),
  )
  const ruleAt = (file: string | undefined, row = 0): Rule | undefined => {
    const head: RuleHead | undefined = headAbove(heads.get(file ?? '') ?? [], row)
    return rules.find((rule) => rule.module.path === file && rule.row === head?.row)
  }

  for (let round = 0; round <= ROUNDS_MAX && rules.some(({ done }) => !done); round += 1) {
    const modules = sources.modules.map((module) => taken(module, rules))
    const answer = await evaluateRego(modules, sources.data, `data.${RULE}`, [input], { trace: true })
    if (!answer.ok) {
      // Something below builds on what was taken for true (a variable that it binds).
      const broken = new Set(
        answer.errors.map(({ file, row }) => ruleAt(file, row)).filter((rule) => rule !== undefined),
      )
      if (broken.size === 0) break
      for (const rule of broken) Object.assign(rule, { complete: false, done: true })
      continue
    }
    const [evaluation] = answer.value
    for (const rule of rules) if (!rule.done) advance(rule, evaluation!, ruleAt, sources, input)
  }

  const found = rules.filter(({ missing }) => missing.length > 0)
  const apart = (rule: Rule) => rule.missing.some(({ condition }) => saysWhichCall(condition))
  const closest = found
    .filter((rule) => !apart(rule))
    .map(
      ({ module, row, missing, complete }): NearMiss => ({
        file: sources.pathOf(module.path),
        row,
        missing: missing.map(({ condition }) => condition),
        complete,
      }),
    )
    .sort((a, b) => atLeast(a) - atLeast(b))
  return { closest, others: found.length - closest.length }
}

/** A rule that could not be tried to its end lacks more than it shows. */
const atLeast = ({ missing, complete }: NearMiss): number => missing.length + (complete ? 0 : 1)

const isOperators = (source: string): boolean => /^\s*package\s+tool_decision\s*(#.*|;.*)?$/m.test(source)

const saysWhichCall = ({ text, within }: Missing): boolean => WHICH_CALL.test(text) || within.some(saysWhichCall)

function advance(
  rule: Rule,
  evaluation: Evaluation,
  ruleAt: (file: string, row: number) => Rule | undefined,
  sources: PolicySources,
  input: DecisionInput,
): void {
  const { failed = [] } = evaluation
  const place = failed
    .filter((each) => each.rule === RULE && ruleAt(each.file, each.row) === rule)
    .reduce<Place | undefined>((last, each) => (last && before(each, last) ? last : each), undefined)
  if (!place) {
    rule.done = true
    return
  }
  const known = rule.missing.findIndex(({ place: { row, col } }) => row === place.row && col === place.col)
  const original = { ...place, text: textAt(rule.module.source, place) ?? place.text }
  const condition = missingOf(original, evaluation, sources, input)
  // The same place again: what was taken for true was only a part of the condition.
  if (known >= 0) rule.missing.splice(known, 1, { place: original, condition })
  else rule.missing.push({ place: original, condition })
  if (saysWhichCall(condition)) rule.done = true
  if (rule.missing.length >= ROUNDS_MAX) Object.assign(rule, { complete: false, done: true })
}

const before = (a: Place, b: Place): boolean => a.row < b.row || (a.row === b.row && a.col < b.col)

function missingOf(
  place: Place,
  evaluation: Evaluation,
  sources: PolicySources,
  input: DecisionInput,
  depth = 0,
): Missing {
  const { fired = [], failed = [], trace = '' } = evaluation
  const asked = new Set(place.text.match(/\b[A-Za-z_]\w*\b/g))
  const asksFor = (rule: string | undefined): boolean =>
    rule !== undefined && rule !== place.rule && rule.startsWith(PACKAGE) && asked.has(rule.slice(PACKAGE.length))
  const deeper = depth < WITHIN_MAX
  const within = place.text.startsWith('not ')
    ? fired.filter(({ text }) => asksFor(text)).map((each) => told({ ...each, text: `${each.text} holds` }))
    : failed
        .filter(({ rule }) => deeper && asksFor(rule))
        .map((each) => missingOf(each, evaluation, sources, input, depth + 1))
  function told({ file, row, text }: Place): Missing {
    return { file: sources.pathOf(file), row, text, values: [], within: [] }
  }
  return { ...told(place), values: valuesIn(place.text, input, boundIn(trace, place)), within }
}

/** The module with everything that its rules lacked so far taken for true; nothing else moves, so that places still fit. */
function taken(module: RegoFile, rules: readonly Rule[]): RegoFile {
  let { source } = module
  for (const rule of rules) {
    if (rule.module.path !== module.path || !rule.complete) continue
    for (const { place } of rule.missing) {
      const start = offsetOf(source, place)
      const blank = place.text.slice('true'.length).replace(/[^\n]/g, ' ')
      source = `${source.slice(0, start)}true${blank}${source.slice(start + place.text.length)}`
    }
  }
  return { path: module.path, source }
}

function textAt(source: string, place: Place): string | undefined {
  const start = offsetOf(source, place)
  const text = source.slice(start, start + place.text.length)
  return text.length === place.text.length ? text : undefined
}

/** Columns count characters, not UTF-16 units. */
function offsetOf(source: string, { row, col }: Place): number {
  const lines = source.split('\n')
  const above = lines.slice(0, row - 1).reduce((sum, line) => sum + line.length + 1, 0)
  return above + [...(lines[row - 1] ?? '')].slice(0, col - 1).join('').length
}
