/** The policy's answer, read with suspicion: whatever is not exactly a decision is a fault, and the call is refused. */
import { type Budget, SCOPES, WINDOWS } from '../model/budget.ts'
import type { Decision, Obligations, Reason, Verdict } from '../model/decision.ts'
import { isCurrency } from '../model/money.ts'

const VERDICTS: readonly string[] = ['allow', 'deny', 'hold'] satisfies readonly Verdict[]

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isText = (value: unknown): value is string => typeof value === 'string'

const isReason = (value: unknown): value is Reason =>
  isObject(value) && isText(value.code) && isText(value.message) && isText(value.rule)

/** Each budget is one more counter in the atomic step, so a policy may not ask for any number of them. */
const BUDGETS_MAX = 16

type Wrong = string | null

const POINTER = /^[^.]+(\.[^.]+)*$/

/** What a policy may ask of the gateway, each with what is wrong in a value. What nobody would enforce is not accepted. */
const OBLIGATIONS: Readonly<Record<keyof Obligations, (value: unknown) => Wrong>> = {
  redact: (value) =>
    Array.isArray(value) && value.every((pointer) => isText(pointer) && POINTER.test(pointer))
      ? null
      : 'not a list of dotted pointers such as "metadata.note"',
  repeat_window_s: (value) =>
    Number.isSafeInteger(value) && (value as number) > 0 ? null : 'not a whole number of seconds from 1',
  budgets: (value) => {
    if (!Array.isArray(value) || value.length > BUDGETS_MAX) return `not a list of at most ${BUDGETS_MAX} budgets`
    return value.map(faultInBudget).find((wrong) => wrong !== null) ?? null
  },
  tags: (value) => (isObject(value) && Object.values(value).every(isText) ? null : 'not an object of texts'),
}

const isScope = (value: unknown): boolean =>
  isText(value) && value.split('+').length <= 2 && value.split('+').every((scope) => SCOPES.some((is) => is === scope))

const isPercent = (value: unknown): boolean => typeof value === 'number' && value > 0 && value <= 100

const BUDGET: Readonly<Record<keyof Budget, (value: unknown) => Wrong>> = {
  scope: (value) => (isScope(value) ? null : `not one of ${SCOPES.join(', ')}, or a pair as agent+provider`),
  window: (value) => (WINDOWS.some((window) => window === value) ? null : `not one of ${WINDOWS.join(', ')}`),
  cap: (value) => (Number.isSafeInteger(value) && (value as number) >= 0 ? null : 'not a whole number of minor units'),
  currency: (value) => (isText(value) && isCurrency(value) ? null : 'not a currency of ISO 4217 in lower case'),
  subject: (value) => (value === undefined || isText(value) ? null : 'not a text'),
  alerts: (value) =>
    value === undefined || (Array.isArray(value) && value.length <= 10 && value.every(isPercent))
      ? null
      : 'not a list of at most 10 percentages',
}

function faultInBudget(budget: unknown): Wrong {
  if (!isObject(budget)) return 'not a list of objects'
  const extra = Object.keys(budget).find((name) => !Object.hasOwn(BUDGET, name))
  if (extra !== undefined) return `a budget has no field ${extra}: there are ${Object.keys(BUDGET).join(', ')}`
  for (const [name, wrongIn] of Object.entries(BUDGET)) {
    const wrong = wrongIn(budget[name])
    if (wrong !== null) return `the ${name} of a budget is ${wrong}`
  }
  return null
}

/** What is wrong with the result set of one evaluation, in words; null where it is a decision. */
export function faultIn(results: unknown): string | null {
  if (!Array.isArray(results) || results.length !== 1) return 'the policy gave no decision (it is undefined)'
  const value: unknown = results[0]?.result
  if (!isObject(value)) return 'the decision is not an object'
  if (!isText(value.decision) || !VERDICTS.includes(value.decision))
    return `decision is ${JSON.stringify(value.decision)}, not "allow", "deny" or "hold"`
  const { reasons, obligations, grant_id } = value
  if (!Array.isArray(reasons) || reasons.length === 0) return 'reasons is not a list with at least one reason'
  const odd = reasons.findIndex((reason) => !isReason(reason))
  if (odd >= 0) return `reasons[${odd}] is not {code, message, rule} in strings: ${JSON.stringify(reasons[odd])}`
  if (grant_id !== undefined && !isText(grant_id)) return 'grant_id is not a string'
  if (!isObject(obligations))
    return 'obligations is neither an object nor a set of objects (`obligations contains {…} if …`)'
  for (const [name, asked] of Object.entries(obligations)) {
    const wrongIn = Object.hasOwn(OBLIGATIONS, name) ? OBLIGATIONS[name as keyof Obligations] : undefined
    if (!wrongIn) return `obligations.${name} is unknown: there are ${Object.keys(OBLIGATIONS).join(', ')}`
    const wrong = wrongIn(asked)
    if (wrong !== null) return `obligations.${name} has the wrong shape (${wrong}): ${JSON.stringify(asked)}`
  }
  const extra = Object.keys(value).find((name) => !FIELDS.has(name))
  return extra === undefined ? null : `the decision has an unknown field, ${extra}`
}

const FIELDS = new Set(['decision', 'reasons', 'grant_id', 'obligations'])

/** Only for results in which `faultIn` found nothing. */
export const decisionIn = (results: unknown, policy_revision: string): Decision => ({
  ...(results as [{ result: Omit<Decision, 'policy_revision'> }])[0].result,
  policy_revision,
})
