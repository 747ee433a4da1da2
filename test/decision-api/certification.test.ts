/** The certification scenario of AuthZEN, case by case, against the decision point that the operator asks. */
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { openWorld, type World } from '../gateway/world.ts'
import { answer } from './answer.ts'

interface Case {
  readonly id: string
  readonly level: string
  readonly name: string
  readonly path: string
  readonly request?: object
  readonly raw?: string
  readonly content_type?: string
  readonly times?: number
  readonly expect: {
    readonly status: number
    readonly decision?: boolean
    readonly decisions?: readonly (boolean | 'any')[]
  }
}

const read = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8')
const cases = parse(read('certification.yaml')) as readonly Case[]
const FIXTURE = { 'certification.rego': read('certification.rego') }

let world: World
beforeAll(async () => {
  world = await openWorld('embedded', { policy: FIXTURE })
})
afterAll(() => world.close())

it('is a table that its schema accepts', () => {
  const valid = new Ajv2020().compile(JSON.parse(read('certification.schema.json')))
  expect(valid(cases) || valid.errors).toBe(true)
})

describe.each(['basic core', 'basic properties', 'batch core', 'batch properties'])('%s', (level) => {
  it.each(cases.filter((each) => each.level === level))('$id: $name', async (each) => {
    for (let time = 0; time < (each.times ?? 1); time++) {
      const { status, body, headers } = await answer(`${world.gateway.admin_url}/access/v1/${each.path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${world.gateway.admin_token}`,
          'content-type': each.content_type ?? 'application/json',
          'x-request-id': `request ${each.id}`,
        },
        body: each.raw ?? JSON.stringify(each.request),
      })
      expect(status, JSON.stringify(body)).toBe(each.expect.status)
      // 2.5.1, of errors as well.
      expect(headers.get('x-request-id')).toBe(`request ${each.id}`)
      if (status !== 200) continue
      expect(headers.get('content-type')).toMatch(/^application\/json/)
      if (each.expect.decision !== undefined) expect(body.decision).toBe(each.expect.decision)
      if (each.expect.decisions) {
        expect(body).not.toHaveProperty('decision')
        expect(body.evaluations).toHaveLength(each.expect.decisions.length)
        for (const [at, decision] of each.expect.decisions.entries())
          expect(body.evaluations[at].decision).toEqual(decision === 'any' ? expect.any(Boolean) : decision)
      }
    }
  })
})
