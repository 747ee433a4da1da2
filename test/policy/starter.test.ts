/** The policy that comes with the package, over every operation of the catalogue: reads, onboarding, and nothing else. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { loadCatalogue } from '../../src/catalogue/index.ts'
import { PROVIDERS_DIR } from '../../src/layout.ts'
import type { DecisionInput } from '../../src/model/decision.ts'
import type { Operation } from '../../src/model/operation.ts'
import { folders, REGO_DIR, refund, storeOf } from './folders.ts'

const operations = loadCatalogue(PROVIDERS_DIR).operations()

const callOf = ({ provider, name, group, effect, action, resource, method, path }: Operation, role?: string) =>
  ({
    ...refund,
    ...{ provider, operation: name, group, effect, action, resource, method, path, params: {} },
    agent: { id: 'agent-1', ...(role && { role }) },
  }) satisfies DecisionInput

describe('without a rule of the operator', () => {
  let store: Awaited<ReturnType<typeof storeOf>>
  beforeAll(async () => {
    const starter = readFileSync(join(REGO_DIR, 'tool_decision.rego'), 'utf8')
    store = await storeOf(await folders({ 'rego/tool_decision.rego': starter }))
  })

  test.each([
    ['an agent without a role may read', undefined, ['read']],
    ['a first-line supporter may read', 'support-tier-1', ['read']],
    ['an onboarding agent may read and bring accounts to life', 'onboarding', ['read', 'connect.onboard']],
  ])('%s, and nothing else', (_, role, groups) => {
    const wrong = operations.filter((operation) => {
      const { decision } = store.current().decide(callOf(operation, role))
      return decision !== (groups.includes(operation.group) ? 'allow' : 'deny')
    })
    expect(wrong.map(({ name }) => name)).toEqual([])
  })
})
