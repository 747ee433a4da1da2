/** The policy's answer, read with suspicion: whatever is not exactly a decision is a fault, and the call is refused. */
import type { Decision, Obligations, Reason, Verdict } from '../model/decision.ts'

const VERDICTS: readonly string[] = ['allow', 'deny', 'hold'] satisfies readonly Verdict[]

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isText = (value: unknown): value is string => typeof value === 'string'

const isReason = (value: unknown): value is Reason =>
  isObject(value) && isText(value.code) && isText(value.message) && isText(value.rule)

/** What a policy may ask of the gateway; what nobody would enforce is not accepted. */
const OBLIGATIONS: Readonly<Record<keyof Obligations, (value: unknown) => boolean>> = {
  redact: (value) => Array.isArray(value) && value.every(isText),
  repeat_window_s: (value) => Number.isSafeInteger(value) && (value as number) > 0,
  budgets: (value) => Array.isArray(value) && value.every(isObject),
  tags: (value) => isObject(value) && Object.values(value).every(isText),
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
  if (!isObject(obligations)) return 'obligations is not an object'
  for (const [name, asked] of Object.entries(obligations)) {
    const holds = Object.hasOwn(OBLIGATIONS, name) ? OBLIGATIONS[name as keyof Obligations] : undefined
    if (!holds) return `obligations.${name} is unknown: there are ${Object.keys(OBLIGATIONS).join(', ')}`
    if (!holds(asked)) return `obligations.${name} has the wrong shape: ${JSON.stringify(asked)}`
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
