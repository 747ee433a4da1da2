/** The composition table: every case through the compiled policy and through OPA's own evaluator, equal or it fails. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Decision, DecisionInput } from '../../src/model/decision.ts'
import { ENTRY_POINT, evaluateRego, readPolicy } from '../../src/policy/index.ts'
import { folders, REGO_DIR, refund, SCHEMAS, storeOf } from './folders.ts'

interface Case {
  readonly name: string
  readonly input?: object
  readonly expect: {
    readonly decision: string
    readonly codes: readonly string[]
    readonly says?: string
    readonly grant_id?: string
    readonly obligations?: object
  }
}

interface Table {
  readonly policy: string
  readonly rego: string
  readonly projects?: readonly string[]
  readonly cases: readonly Case[]
}

const read = (url: URL) => readFileSync(url, 'utf8')
const tables = parse(read(new URL('cases/composition.yaml', import.meta.url)), { merge: true }) as Table[]
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true })
const isTable = ajv.compile(JSON.parse(read(new URL('cases/composition.schema.json', import.meta.url))))
const isDecision = ajv.compile(JSON.parse(read(new URL('decision.json', SCHEMAS))))
const isInput = ajv.compile(JSON.parse(read(new URL('decision-input.json', SCHEMAS))))

/** The second laid over the first, maps by field; null takes a field out. */
function over(base: unknown, change: unknown): unknown {
  const isMap = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isMap(base) || !isMap(change)) return change
  const names = [...new Set([...Object.keys(base), ...Object.keys(change)])]
  const laid = names.map((name) => [name, name in change ? over(base[name], change[name]) : base[name]] as const)
  return Object.fromEntries(laid.filter(([, value]) => value !== null))
}

const inputOf = ({ input = {} }: Case) => over(refund, input) as DecisionInput

test('the table itself is well formed', () => {
  expect(isTable(tables) || isTable.errors).toBe(true)
})

describe.each(tables)('$policy', ({ rego, projects = [], cases }) => {
  let decided: { readonly ours: readonly Decision[]; readonly opas: readonly unknown[] } | undefined

  async function decideAll() {
    const starter = rego === 'starter'
    const at = await folders({
      ...(!starter && { 'rego/tool_decision.rego': rego }),
      ...Object.fromEntries(projects.map((policy, index) => [`policies/${index}.yaml`, policy])),
    })
    const options = { ...at, policyDir: starter ? REGO_DIR : join(at.root, 'rego') }
    const store = await storeOf(options)
    const inputs = cases.map(inputOf)
    const ours = inputs.map((input) => store.current().decide(input))
    const policy = await readPolicy(options)
    if ('refused' in policy) throw new Error(JSON.stringify(policy))
    const answered = await evaluateRego(policy.modules, policy.data, `data.${ENTRY_POINT.replace('/', '.')}`, inputs)
    if (!answered.ok) throw new Error(JSON.stringify(answered.errors))
    return { ours, opas: answered.value.map(({ value }) => value) }
  }

  test.each(cases.map((entry, index) => ({ ...entry, index })))(
    '$name',
    async ({ index, expect: wanted, ...entry }) => {
      decided ??= await decideAll()
      const decision = decided.ours[index]!
      const { policy_revision: _, ...answer } = decision
      expect(isDecision(decision) || isDecision.errors).toBe(true)
      expect({
        decision: decision.decision,
        codes: [...new Set(decision.reasons.map(({ code }) => code))].sort(),
        grant_id: decision.grant_id,
      }).toEqual({ decision: wanted.decision, codes: wanted.codes, grant_id: wanted.grant_id })
      if (wanted.says) expect(decision.reasons.map(({ message }) => message).join('\n')).toContain(wanted.says)
      if (wanted.obligations) expect(decision.obligations).toEqual(wanted.obligations)
      expect(answer).toEqual(decided.opas[index])
      const input = inputOf({ ...entry, expect: wanted })
      if (input.effect === 'read' || input.effect === 'write') expect(isInput(input) || isInput.errors).toBe(true)
    },
  )
})
