import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { AmountSource, Rules } from '../../src/catalogue/provider.ts'
import type { Operation } from '../../src/model/operation.ts'
import { catalogue, PROVIDERS } from './stripe.ts'

const rules = parse(readFileSync(join(PROVIDERS, 'stripe.yaml'), 'utf8')) as Rules
const schema = JSON.parse(readFileSync(join(PROVIDERS, '../provider.json'), 'utf8')) as object
const operations = catalogue.operations('stripe')

const sections = {
  groups: rules.groups,
  reads: rules.reads ?? [],
  costs: rules.costs ?? [],
  redact_of: rules.redact_of ?? [],
  guarded_of: rules.guarded_of ?? [],
  refused: rules.refused ?? [],
  may_be_zero_or_less: rules.amounts?.may_be_zero_or_less ?? [],
}

function matching(pattern: string): Operation[] {
  const regex = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`)
  return operations.filter(({ name, action }) =>
    regex.test(pattern.includes(':') ? action.slice('stripe:'.length) : name),
  )
}

interface Schema {
  readonly type?: string
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
}

/** Whether a param's pointer leads somewhere in the schema, through alternatives and lists. */
function leads(schema: Schema | undefined, [step, ...rest]: readonly string[]): boolean {
  if (!schema) return false
  if (step === undefined) return true
  if (schema.anyOf) return schema.anyOf.some((each) => leads(each, [step, ...rest]))
  if (schema.type === 'array') return (step === '*' || /^[0-9]+$/.test(step)) && leads(schema.items, rest)
  return leads(schema.properties?.[step], rest)
}

const hasParam = (operation: Operation, pointer: string): boolean => {
  const [root, ...steps] = pointer.split('.')
  return root !== 'params' || leads(operation.params, steps)
}

const pointersOf = (source: AmountSource): readonly string[] =>
  typeof source === 'string' ? [source] : Object.values(source).flat()

describe('stripe.yaml', () => {
  it('is what the gateway reads in stripe.json (npx tsx tools/catalogue/rules.ts)', () => {
    const { rules: read } = JSON.parse(readFileSync(join(PROVIDERS, 'stripe.json'), 'utf8')) as { rules: Rules }
    expect(read).toEqual(rules)
  })

  it('fits schemas/provider.json', () => {
    const validate = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true }).compile(schema)
    validate(rules)
    expect(validate.errors ?? []).toEqual([])
  })

  it.each(Object.entries(sections))('has no pattern in %s that matches nothing', (_, section) => {
    const patterns = section.flatMap((rule: { readonly operations: readonly string[] }) => rule.operations)
    expect(patterns.filter((pattern) => !matching(pattern).length)).toEqual([])
  })

  it('has no two rules for one operation where the second would never hold', () => {
    for (const section of [sections.reads, sections.costs]) {
      const seen = section.flatMap((rule) => [...new Set(rule.operations.flatMap(matching))].map(({ name }) => name))
      expect(seen.filter((name, index) => seen.indexOf(name) !== index)).toEqual([])
    }
  })

  it('reads by params that the operations have', () => {
    const wrong = (rules.reads ?? []).flatMap(({ operations: patterns, read }) => {
      const pointers = read.flatMap(({ path }) => /\{(.+)\}/.exec(path)![1]!)
      return patterns
        .flatMap(matching)
        .flatMap((each) => pointers.filter((pointer) => !hasParam(each, pointer)).map((p) => `${each.name} ${p}`))
    })
    expect(wrong).toEqual([])
  })

  it('reads paths that are operations of the catalogue', () => {
    const paths = (rules.reads ?? []).flatMap(({ read }) => read.map(({ path }) => path.replace(/\{.+\}/, 'id_1')))
    const refused = paths.filter((path) => 'refused' in catalogue.resolveRoute('stripe', 'GET', path))
    expect(refused).toEqual([])
  })

  it('takes amounts and currencies from params that the operations have', () => {
    const wrong = (rules.costs ?? []).flatMap(({ operations: patterns, amount, currency, customer = [] }) => {
      const pointers = [...currency, ...customer, ...amount.flatMap(pointersOf)]
      return patterns
        .flatMap(matching)
        .flatMap((each) => pointers.filter((pointer) => !hasParam(each, pointer)).map((p) => `${each.name} ${p}`))
    })
    expect(wrong).toEqual([])
  })

  it('costs writes only', () => {
    const costed = (rules.costs ?? []).flatMap(({ operations: patterns }) => patterns.flatMap(matching))
    expect(costed.filter(({ effect }) => effect === 'read').map(({ name }) => name)).toEqual([])
  })
})
