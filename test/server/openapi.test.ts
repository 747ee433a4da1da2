/** `/openapi.json` describes the routes that there are, all of them and no other, and answers are as it says. */
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import type { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type AdminPlane,
  type AgentPlane,
  adminPlane,
  agentPlane,
  openApi,
  serviceRoutes,
} from '../../src/server/index.ts'
import { openSite, POLICY, project, READING, rule, type Site, type Started } from '../revisions/site.ts'

// biome-ignore lint/suspicious/noExplicitAny: an OpenAPI document, walked by its own keywords
type Document = any
const schema = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../schemas/${name}.json`, import.meta.url), 'utf8'))
const document: Document = openApi({ call: schema('call'), vaultKey: schema('vault-key'), config: schema('config') })

describe('routes', () => {
  // Routes are declared without being asked anything, so nothing stands behind these planes.
  const service = serviceRoutes({} as Parameters<typeof serviceRoutes>[0])
  const planes = {
    agent: agentPlane({ service } as unknown as AgentPlane),
    admin: adminPlane({ service } as unknown as AdminPlane),
  }
  /** Pages for people, and OPA's route that only says that it is not here. */
  const APART = /^\S+ (\/docs(\/.*)?|\/v1\/compile.*)$/
  const MIDDLEWARE = ['ALL /admin/*', 'ALL /access/v1/*']

  /** As the document writes them: what stands behind a star is a path, and the last door takes what a provider has. */
  const written = (route: string): string =>
    route === 'ALL /*' ? 'POST /{provider}/{path}' : route.replace(/:(\w+)/g, '{$1}').replace(/\*$/, '{path}')
  const routesOf = (app: Hono<never>): readonly string[] =>
    app.routes
      .map(({ method, path }) => `${method} ${path}`)
      .filter((route) => !MIDDLEWARE.includes(route) && !APART.test(route))
      .map(written)
  const real = new Set(Object.values(planes).flatMap((app) => routesOf(app as unknown as Hono<never>)))
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
  )

  it('every one is described', () => {
    expect([...real].filter((route) => !described.includes(route))).toEqual([])
  })

  it('each that is described is there', () => {
    // One document of /v1/data/{path}, described by itself.
    const known = new Set([...real, 'POST /v1/data/tool_decision'])
    expect(described.filter((route) => !known.has(route))).toEqual([])
  })

  it('those of the admin plane want its token, and the agent plane has none of them', () => {
    const ofAdmin = Object.entries<Document>(document.paths).filter(([path]) => path.startsWith('/admin'))
    expect(ofAdmin.length).toBeGreaterThan(5)
    for (const [, methods] of ofAdmin)
      for (const { security } of Object.values<Document>(methods)) expect(security).toEqual([{ adminToken: [] }])
    expect(routesOf(planes.agent as unknown as Hono<never>).filter((route) => route.includes('/admin'))).toEqual([])
  })

  it('parameters of a path are all described', () => {
    for (const [path, methods] of Object.entries<Document>(document.paths))
      for (const { parameters = [] } of Object.values<Document>(methods)) {
        const named = parameters.filter((one: Document) => one.in === 'path').map((one: Document) => one.name)
        expect({ path, named }).toEqual({ path, named: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name) })
      }
  })
})

describe('answers about policies', () => {
  const ajv = formats.default(new Ajv2020({ strict: false }))
  ajv.addSchema(document, 'document')
  const step = (text: string) => text.replaceAll('~', '~0').replaceAll('/', '~1')
  const at = (path: string, method: string, rest: string) =>
    ajv.getSchema(`document#/paths/${step(path)}/${method}/${rest}/content/application~1json/schema`)!

  let site: Site
  let gateway: Started
  beforeAll(async () => {
    site = await openSite('PGlite')
    gateway = await site.start('a', { ...POLICY, 'policies/p.yaml': project([READING]) })
  })
  afterAll(() => site?.close())

  const pushed = (max: number) => ({ files: { 'tool_decision.rego': rule(max) } })
  const ANSWERS = [
    { name: 'a push', path: '/admin/policies', method: 'post', body: pushed(100) },
    { name: 'the same again', path: '/admin/policies', method: 'post', body: pushed(100) },
    { name: 'the history', path: '/admin/policies', method: 'get' },
    { name: 'a rollback', path: '/admin/policies/rollback', method: 'post', body: {} },
    { name: 'a reload', path: '/admin/policies/reload', method: 'post' },
    { name: 'a revision', path: '/admin/policies/{revision}', method: 'get' },
  ] as const
  it.each(ANSWERS)('$name', async ({ path, method, ...rest }) => {
    const body: object | undefined = 'body' in rest ? rest.body : undefined
    const target = path.replace('{revision}', await gateway.revision())
    const answer = await gateway.admin(method.toUpperCase(), target, body)
    expect(answer.status).toBe(200)
    const fits = at(path, method, 'responses/200')
    expect(fits(answer.body), JSON.stringify(fits.errors)).toBe(true)
    if (body) expect(at(path, method, 'requestBody')(body)).toBe(true)
  })

  const REFUSED = [
    { name: 'a push of nothing', path: '/admin/policies', body: {} },
    { name: 'a push of something else', path: '/admin/policies', body: { rules: {} } },
    { name: 'a push of files that are no texts', path: '/admin/policies', body: { files: { 'a.rego': 1 } } },
    { name: 'a rollback to what is no revision', path: '/admin/policies/rollback', body: { to: 'abc' } },
    { name: 'a rollback with a misspelt field', path: '/admin/policies/rollback', body: { revision: 'abcdef' } },
  ] as const
  it.each(REFUSED)('$name does not fit its schema, and is refused', async ({ path, body }) => {
    expect(at(path, 'post', 'requestBody')(body)).toBe(false)
    const answer = await gateway.admin('POST', path, body)
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_params' } })
    const fits = ajv.getSchema('document#/components/schemas/Problem')!
    expect(fits(answer.body), JSON.stringify(fits.errors)).toBe(true)
  })
})
