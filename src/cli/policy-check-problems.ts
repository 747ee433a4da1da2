/** What OPA's strict check says, in the words of somebody who did not write OPA: what, why, and the nearest right name. */
import { closest } from '../catalogue/closest.ts'
import { type PolicyProblem, problemOf, type RegoProblem } from '../policy/index.ts'

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly additionalProperties?: boolean
}

export function checkProblem(error: RegoProblem, inputSchema: Schema, pathOf: (name: string) => string): PolicyProblem {
  if (/error limit reached/.test(error.message))
    return { code: 'more', message: 'there are more mistakes than these', fix: 'Correct these, and check again.' }
  const found = problemOf(error, { pathOf })
  const [, ref] = /^undefined ref: (.+)$/s.exec(error.message) ?? []
  if (ref?.startsWith('input')) return { ...found, ...unknownField(ref, inputSchema) }
  if (ref && !ref.startsWith('data.'))
    return {
      ...found,
      code: 'unknown_field',
      message: `${ref} is not there: what ${ref.split(/[.[]/)[0]} stands for has no such field, so the rule could never fire`,
      fix: 'Correct its spelling; schemas/decision-input.json says what each part of input has.',
    }
  if (ref)
    return {
      ...found,
      code: 'undefined_ref',
      message: `${ref} is not there: no rule and no data file of the policy defines it`,
      fix: 'Correct its spelling, or define it.',
    }
  const [, kind, name] = /^(?:(assigned var|declared var|function arg|import) )(\S+) unused/.exec(error.message) ?? []
  if (kind)
    return {
      ...found,
      code: 'unused',
      message: `${kind === 'import' ? 'the import' : 'the variable'} ${name} is not used`,
      fix:
        kind === 'import'
          ? 'Remove the import.'
          : 'Use it, or remove it; `_` in place of a name says that a value is not needed.',
    }
  if (/^match error/.test(error.message))
    return {
      ...found,
      code: 'never_equal',
      message: 'the two sides are never equal, because their types differ',
      fix: 'Compare with a value of the type that schemas/decision-input.json gives: amounts are numbers, names are texts.',
    }
  const [, builtin] = /^(\S+): invalid argument\(s\)/.exec(error.message) ?? []
  if (builtin)
    return {
      ...found,
      code: 'wrong_argument',
      message: `${builtin} gets an argument of a type that it does not take, so the rule could never fire`,
      fix: 'Give it the types that it takes; schemas/decision-input.json says what each field of input is.',
    }
  return found
}

/** `input.agent.rolle` → where the way into the schema ends, and what was likely meant. */
function unknownField(ref: string, schema: Schema): Pick<PolicyProblem, 'code' | 'message' | 'fix'> {
  const code = 'unknown_field'
  const steps = ref.replace(/\[("?)([^\]"]*)\1\]/g, '.$2').split('.')
  let at: Schema | undefined = schema
  for (const [index, step] of steps.entries()) {
    if (index === 0) continue
    const whole = steps.slice(0, index).join('.').replaceAll('._', '[_]')
    if (at?.items) at = at.items
    else if (at?.properties && Object.hasOwn(at.properties, step)) at = at.properties[step]
    else {
      const known = Object.keys(at?.properties ?? {})
      const message = `${whole} has no field ${step}, so the rule could never fire`
      if (known.length === 0) return { code, message, fix: `${whole} is a plain value: compare it as a whole.` }
      const meant = closest(step, known)
      const has = `${whole} has: ${known.join(', ')}.`
      return {
        code,
        message,
        fix: meant ? `Write ${whole}.${meant}.` : `${has} What was sent is in input.params.`,
      }
    }
  }
  return { code, message: `${ref} is not there`, fix: 'schemas/decision-input.json says what input has.' }
}
