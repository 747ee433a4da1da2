/** The admin plane: vault keys, credentials, policy and the audit trail. Its own listener; agent keys never work there. */
import { Readable } from 'node:stream'
import type { HttpBindings } from '@hono/node-server'
import type { ValidateFunction } from 'ajv'
import { Hono } from 'hono'
import type { KeyFilter, VaultKey } from '../model/agent.ts'
import type { AuditEvent, AuditQuery } from '../model/event.ts'
import type { JsonObject } from '../model/operation.ts'
import { isRefusal, type Refusal, refuse } from '../model/refusal.ts'
import { type PolicyRoutes, policyRoutes } from './admin-policies.ts'
import { adminRefusal } from './admin-token.ts'
import { type AuthzenDoor, authzenDoor } from './authzen.ts'
import { readBody } from './body.ts'
import { credentialOf } from './credential.ts'
import { type OpaDoor, opaDoor } from './opa.ts'
import { faultRefusal, problem } from './problem.ts'

/** The decision doors are here as well: the operator may ask about anybody. */
export interface AdminPlane extends AuthzenDoor, OpaDoor, PolicyRoutes {
  readonly token: string
  readonly validKey: ValidateFunction
  readonly keys: {
    /** The key and its secret, which is shown this once. */
    create(request: JsonObject): Promise<{ readonly key: VaultKey; readonly secret: string } | Refusal>
    list(filter: KeyFilter): Promise<readonly VaultKey[]>
    get(id: string): Promise<VaultKey | null>
    spend(key: VaultKey): Promise<readonly object[]>
    revoke(filter: KeyFilter): Promise<readonly string[]>
    rotate(key: VaultKey, overlap: string): Promise<{ readonly key: VaultKey; readonly secret: string }>
  }
  readonly storeCredential: (
    provider: string,
    organisation: string | null,
    secret: string,
  ) => Promise<Refusal | undefined>
  readonly audit: (query: AuditQuery) => Promise<readonly AuditEvent[]>
  readonly onFault: (fault: unknown) => void
  readonly toLine: (event: AuditEvent) => string
  readonly service: Hono<{ Bindings: HttpBindings }>
}

type Bindings = { Bindings: HttpBindings }

const KEY_FILTERS = ['id', 'organisation', 'project', 'agent', 'role', 'run'] as const
const AUDIT_FILTERS = [
  ...([
    'kind',
    'run',
    'agent',
    'project',
    'key',
    'provider',
    'operation',
    'decision',
    'event_id',
    'correlation_id',
  ] as const),
  ...(['since', 'until', 'cursor'] as const),
]
const PAGE_ROWS = 100
const PAGE_ROWS_MAX = 1_000

export function adminPlane(plane: AdminPlane): Hono<Bindings> {
  const app = new Hono<Bindings>()
  const { keys } = plane

  app.route('/', plane.service)
  app.route('/', opaDoor(plane))
  app.route('/', authzenDoor(plane))
  app.use('/admin/*', async (c, next) => {
    const refusal = adminRefusal(credentialOf(c.req.header('authorization')), plane.token)
    return refusal ? problem(refusal) : next()
  })

  const bodyOf = async (incoming: HttpBindings['incoming']): Promise<JsonObject | Refusal> => {
    const body = await readBody(incoming)
    if (isRefusal(body)) return body
    return body.length === 0 ? {} : plane.parseJson(body)
  }
  const shown = ({ key, secret }: { key: VaultKey; secret: string }) => ({ vault_key: secret, ...key })

  app.post('/admin/vault-keys', async (c) => {
    const tree = await bodyOf(c.env.incoming)
    if (isRefusal(tree)) return problem(tree)
    if (!plane.validKey(tree))
      return problem(
        refuse('invalid_params', faultOf(plane.validKey), { fix: 'See docs/reference/vault-keys.md for the fields.' }),
      )
    const issued = await keys.create(tree)
    return isRefusal(issued) ? problem(issued) : c.json(shown(issued), 201)
  })

  app.get('/admin/vault-keys', async (c) => c.json({ vault_keys: await keys.list(pick(c.req.query(), KEY_FILTERS)) }))

  app.get('/admin/vault-keys/:id', async (c) => {
    const key = await keys.get(c.req.param('id'))
    return key ? c.json({ ...key, spend: await keys.spend(key) }) : problem(noKey(c.req.param('id')))
  })

  app.post('/admin/vault-keys/revoke', async (c) => {
    const tree = await bodyOf(c.env.incoming)
    if (isRefusal(tree)) return problem(tree)
    const stray = Object.keys(tree).find((name) => !(KEY_FILTERS as readonly string[]).includes(name))
    const filter = pick(tree, KEY_FILTERS)
    if (stray !== undefined || Object.keys(filter).length === 0)
      return problem(
        refuse(
          'invalid_params',
          stray === undefined ? 'The filter is empty and would revoke every key.' : `The filter has a field ${stray}.`,
          {
            fix: `Name at least one of ${KEY_FILTERS.join(', ')}.`,
          },
        ),
      )
    return c.json({ revoked: await keys.revoke(filter) })
  })

  app.post('/admin/vault-keys/:id/revoke', async (c) => {
    const id = c.req.param('id')
    if (!(await keys.get(id))) return problem(noKey(id))
    await keys.revoke({ id })
    return c.json(await keys.get(id))
  })

  app.post('/admin/vault-keys/:id/rotate', async (c) => {
    const tree = await bodyOf(c.env.incoming)
    if (isRefusal(tree)) return problem(tree)
    const overlap = tree.overlap ?? '0s'
    if (typeof overlap !== 'string' || !/^\d{1,7}[smhd]$/.test(overlap))
      return problem(refuse('invalid_params', 'overlap is not a duration.', { fix: 'Send {"overlap": "10m"}.' }))
    const key = await keys.get(c.req.param('id'))
    if (!key) return problem(noKey(c.req.param('id')))
    if (key.revoked_at) return problem(refuse('revoked_key', `The key ${key.id} was revoked at ${key.revoked_at}.`))
    return c.json(shown(await keys.rotate(key, overlap)), 201)
  })

  app.put('/admin/credentials/:provider', async (c) => {
    const tree = await bodyOf(c.env.incoming)
    if (isRefusal(tree)) return problem(tree)
    const { secret, organisation = null } = tree
    if (typeof secret !== 'string' || secret === '' || !(organisation === null || typeof organisation === 'string'))
      return problem(
        refuse('invalid_params', 'secret must be a text.', {
          fix: 'Send {"secret": "…", "organisation": "…"}; the organisation may be left out.',
        }),
      )
    const refusal = await plane.storeCredential(c.req.param('provider'), organisation, secret)
    return refusal ? problem(refusal) : c.body(null, 204)
  })

  app.route('/', policyRoutes(plane))

  app.get('/admin/audit', async (c) => {
    const given = c.req.query()
    const limit = given.limit === undefined ? undefined : Number(given.limit)
    if (limit !== undefined && !(Number.isInteger(limit) && limit > 0 && limit <= PAGE_ROWS_MAX))
      return problem(refuse('invalid_params', 'limit is not a whole number from 1 to 1000.'))
    for (const name of ['since', 'until'] as const)
      if (given[name] !== undefined && Number.isNaN(Date.parse(given[name])))
        return problem(refuse('invalid_params', `${name} is not a time such as 2026-01-31T12:00:00Z.`))
    const query = pick(given, AUDIT_FILTERS) as AuditQuery
    if (c.req.header('accept')?.includes('application/x-ndjson')) {
      const lines = Readable.toWeb(Readable.from(linesOf(plane, query, limit))) as ReadableStream
      return new Response(lines, { headers: { 'content-type': 'application/x-ndjson' } })
    }
    const events = await plane.audit({ ...query, limit: limit ?? PAGE_ROWS })
    const last = events.length === (limit ?? PAGE_ROWS) ? events.at(-1)?.id : undefined
    return c.json({ events, ...(last && { cursor: last }) })
  })

  app.notFound((c) => problem(refuse('not_found', `There is no route ${c.req.method} ${c.req.path}.`)))
  app.onError((error) => {
    plane.onFault(error)
    return problem(faultRefusal(error))
  })
  return app
}

/** Pages through the trail, so that an export of any size needs little memory; the next page is read while one is sent. */
async function* linesOf(
  plane: AdminPlane,
  query: AuditQuery,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<string> {
  const page = (left: number, after: { cursor?: string }) =>
    plane.audit({ ...query, limit: Math.min(left, PAGE_ROWS_MAX), ...after })
  let next = page(limit, {})
  for (let left = limit; ; ) {
    const events = await next
    left -= events.length
    const isLast = left <= 0 || events.length < PAGE_ROWS_MAX
    if (!isLast) {
      next = page(left, { cursor: events.at(-1)!.id })
      // It is awaited in the next turn; a client that goes away before must not leave a rejection unheard.
      next.catch(() => undefined)
    }
    if (events.length > 0) yield events.map(plane.toLine).join('')
    if (isLast) return
  }
}

const pick = <Name extends string>(from: Record<string, unknown>, names: readonly Name[]): { [Key in Name]?: string } =>
  Object.fromEntries(names.filter((name) => typeof from[name] === 'string').map((name) => [name, from[name]])) as {
    [Key in Name]?: string
  }

const noKey = (id: string): Refusal =>
  refuse('not_found', `There is no vault key ${id}.`, { fix: 'GET /admin/vault-keys lists them.' })

function faultOf(valid: ValidateFunction): string {
  const { instancePath, message, params } = valid.errors![0]!
  const extra = params.additionalProperty ? ` (${params.additionalProperty})` : ''
  return `${instancePath.slice(1).replaceAll('/', '.') || 'The key'} ${message}${extra}.`
}
