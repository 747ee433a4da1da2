/** The agent plane: calls by name, drop-in calls, and what an agent may know of itself. Four doors, one story. */
import type { HttpBindings } from '@hono/node-server'
import type { ValidateFunction } from 'ajv'
import { Hono } from 'hono'
import type { VaultKey } from '../model/agent.ts'
import type { CallRequest, Reply } from '../model/call.ts'
import { defined } from '../model/defined.ts'
import { type EventId, isEventId } from '../model/id.ts'
import type { Operation } from '../model/operation.ts'
import { isRefusal, type Refusal, refuse } from '../model/refusal.ts'
import { type AuthzenDoor, authzenDoor } from './authzen.ts'
import { readBody } from './body.ts'
import { credentialOf } from './credential.ts'
import { envelopeOf, envelopeOfHeaders } from './envelope.ts'
import { type OpaDoor, opaDoor } from './opa.ts'
import { faultRefusal, problem } from './problem.ts'
import { providerError } from './provider-error.ts'
import { asData, asProvider } from './reply.ts'
import type { SurfaceOf } from './surface.ts'
import { splitTarget, targetOf } from './target.ts'

export interface AgentPlane extends AuthzenDoor, OpaDoor {
  readonly call: (request: CallRequest) => Promise<Reply>
  readonly validEnvelope: ValidateFunction
  readonly surfaceOf: SurfaceOf
  /** The key itself, whatever its providers. */
  readonly authenticate: (credential: string | null) => Promise<VaultKey | Refusal>
  readonly operationsOf: (key: VaultKey) => readonly Operation[]
  readonly callRecord: (key: VaultKey, event_id: EventId) => Promise<object | null>
  readonly service: Hono<{ Bindings: HttpBindings }>
}

type Bindings = { Bindings: HttpBindings }

export function agentPlane(plane: AgentPlane): Hono<Bindings> {
  const app = new Hono<Bindings>()
  const credential = (c: { req: { header(name: string): string | undefined } }) =>
    credentialOf(c.req.header('authorization'))

  app.post('/v1/providers/:provider/operations/:operation', async (c) => {
    const { provider, operation } = c.req.param()
    const body = await readBody(c.env.incoming)
    const tree = isRefusal(body) ? body : plane.parseJson(body)
    const envelope = isRefusal(tree) ? tree : envelopeOf(tree, plane.validEnvelope)
    const { params = {}, ...names } = isRefusal(envelope) ? { params: envelope } : envelope
    const dry = c.req.query('dry_run')
    const reply = await plane.call({
      credential: credential(c),
      provider,
      target: { operation, params },
      ...names,
      ...(dry !== undefined && dry !== 'false' && { dry_run: true }),
    })
    return reply.kind === 'refused' ? problem(reply.refusal, reply.event_id) : asData(reply)
  })

  app.get('/v1/operations', async (c) => {
    const key = await plane.authenticate(credential(c))
    if (isRefusal(key)) return problem(key)
    const operations = plane
      .operationsOf(key)
      .map(({ provider, name, group, effect, action, resource, summary, params }) => ({
        ...{ provider, operation: name, group, effect, action, resource, summary, params },
      }))
    return c.json({ operations })
  })

  app.get('/v1/calls/:event_id', async (c) => {
    const key = await plane.authenticate(credential(c))
    if (isRefusal(key)) return problem(key)
    const { event_id } = c.req.param()
    const record = isEventId(event_id) ? await plane.callRecord(key, event_id) : null
    return record
      ? c.json(record)
      : problem(refuse('not_found', `This key made no call with the event id ${event_id}.`))
  })

  app.route('/', opaDoor(plane))
  app.route('/', authzenDoor(plane))
  app.route('/', plane.service)

  // The provider's own API: under its name, by its host name, or at the root, for SDKs that take no path prefix.
  app.all('*', async (c) => {
    const { incoming } = c.env
    const [path, query] = splitTarget(targetOf(incoming))
    const surface = plane.surfaceOf(incoming.headers.host, path)
    if (!surface) return problem(noRoute(incoming.method, path))
    const header = (name: string) => c.req.header(name)
    const names = envelopeOfHeaders(header, plane.validEnvelope)
    const body = await readBody(incoming)
    const objection = [names, body, surface.objection?.(header)].find(isRefusal)
    const reply = await plane.call({
      credential: credential(c),
      provider: surface.provider,
      target: {
        method: incoming.method ?? 'GET',
        path: surface.path,
        query,
        content_type: header('content-type') ?? null,
        body: objection ?? (body as Buffer),
      },
      ...(isRefusal(names) ? {} : defined(names)),
    })
    if (reply.kind !== 'refused') return asProvider(reply)
    const shape = providerError(surface.provider)
    return shape ? shape(reply.refusal, reply.event_id) : problem(reply.refusal, reply.event_id)
  })

  app.onError((error) => problem(faultRefusal(error)))
  return app
}

const noRoute = (method: string | undefined, path: string): Refusal =>
  path.startsWith('/admin')
    ? refuse('not_found', 'The admin plane is another listener.', {
        fix: 'Use its port: COUNTERSIGN_ADMIN_PORT, 8788 by default.',
      })
    : refuse('not_found', `There is no route ${method} ${path.slice(0, 200)}.`)
