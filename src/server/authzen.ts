/**
 * The decision alone, as the OpenID AuthZEN Authorization API 1.0 answers: evaluation, evaluations, and the metadata of the
 * decision point. A denial is an answer (200, `false`); only what cannot be read or believed is an error.
 */
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { defined } from '../model/defined.ts'
import { isAnswered, type Judge, type Judged } from '../model/judgement.ts'
import type { JsonObject } from '../model/operation.ts'
import { isRefusal, REFUSALS, type Refusal, refuse } from '../model/refusal.ts'
import { type OperationNames, questionOf } from './authzen-question.ts'
import { readBody } from './body.ts'
import { credentialOf } from './credential.ts'
import { problem } from './problem.ts'

export interface AuthzenDoor {
  readonly parseJson: (body: Buffer) => JsonObject | Refusal
  readonly judge: Judge
  readonly names: OperationNames
  /** Where callers reach this plane (`https://pdp.example.com`); undefined where it is reached at its own address. */
  readonly public_url: string | undefined
}

type Bindings = { Bindings: HttpBindings }
type Call = Context<Bindings>

/** When the rest need not be asked. */
const SEMANTICS: Readonly<Record<string, ((judged: Judged) => boolean) | undefined>> = {
  execute_all: () => false,
  deny_on_first_deny: (judged) => !permits(judged),
  permit_on_first_permit: (judged) => permits(judged),
}

export function authzenDoor({ parseJson, judge, names, public_url }: AuthzenDoor): Hono<Bindings> {
  const app = new Hono<Bindings>()

  app.use('/access/v1/*', async (c, next) => {
    await next()
    const id = c.req.header('x-request-id')
    if (id !== undefined) c.header('x-request-id', id)
  })

  const read = async (c: Call): Promise<JsonObject | Refusal> => {
    const body = await readBody(c.env.incoming)
    if (isRefusal(body)) return body
    const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
    return type === 'application/json'
      ? parseJson(body)
      : refuse('malformed_request', `The content type is ${type ?? 'not given'}.`, {
          fix: 'Send Content-Type: application/json.',
        })
  }
  const asked = (c: Call, tree: JsonObject | Refusal): JsonObject | Refusal => {
    const question = isRefusal(tree) ? tree : questionOf(tree, names)
    return isRefusal(question) ? question : { ...requestId(c), ...question }
  }

  const one = async (c: Call, tree: JsonObject | Refusal): Promise<Response> => {
    const judged = await judge(credentialOf(c.req.header('authorization')), [asked(c, tree)])
    const answer = isAnswered(judged) ? judged[0]! : judged
    return answer.kind === 'refused' ? problem(answer.refusal, answer.event_id) : c.json(evaluation(answer))
  }

  app.post('/access/v1/evaluation', async (c) => one(c, await read(c)))

  app.post('/access/v1/evaluations', async (c) => {
    const tree = await read(c)
    const batch = isRefusal(tree) ? tree : batchOf(tree)
    if (batch === null || isRefusal(batch)) return one(c, batch ?? tree)
    const judged = await judge(
      credentialOf(c.req.header('authorization')),
      batch.items.map((item) => asked(c, item)),
      batch.last,
    )
    if (!isAnswered(judged)) return problem(judged.refusal, judged.event_id)
    return c.json({ evaluations: judged.map(evaluation) })
  })

  app.get('/.well-known/authzen-configuration', (c) => {
    const base = public_url?.replace(/\/+$/, '') ?? ownAddress(c)
    return c.json({
      policy_decision_point: base,
      access_evaluation_endpoint: `${base}/access/v1/evaluation`,
      access_evaluations_endpoint: `${base}/access/v1/evaluations`,
    })
  })
  return app
}

const permits = (judged: Judged): boolean => judged.kind === 'judged' && judged.decision.decision === 'allow'

/** A hold is no permission: a human has to approve first, and this door cannot wait for one. */
function evaluation(judged: Judged): object {
  if (judged.kind === 'refused') {
    const { refusal, event_id } = judged
    const error = { status: REFUSALS[refusal.code].status, code: refusal.code, message: refusal.detail }
    return { decision: false, context: defined({ error, event_id }) }
  }
  const { decision, event_id } = judged
  return { decision: permits(judged), context: { ...decision, ...defined({ event_id }) } }
}

interface Batch {
  readonly items: readonly (JsonObject | Refusal)[]
  readonly last: (judged: Judged) => boolean
}

/** Null where the request holds no evaluations, and so is one itself. */
function batchOf({ evaluations, options = {}, ...defaults }: JsonObject): Batch | Refusal | null {
  if (evaluations === undefined) return null
  if (!Array.isArray(evaluations)) return refuse('malformed_request', 'The evaluations are not a list.')
  if (evaluations.length === 0) return null
  if (!isObject(options)) return refuse('malformed_request', 'The options are not an object.')
  const semantic = options.evaluations_semantic ?? 'execute_all'
  const last = typeof semantic === 'string' && Object.hasOwn(SEMANTICS, semantic) ? SEMANTICS[semantic] : undefined
  if (!last)
    return refuse('malformed_request', 'options.evaluations_semantic is none that is known.', {
      fix: `Send one of ${Object.keys(SEMANTICS).join(', ')}.`,
    })
  const items = evaluations.map((item: unknown) =>
    isObject(item) ? withDefaults(item, defaults) : refuse('malformed_request', 'The evaluation is not an object.'),
  )
  return { items, last }
}

/** What names an entity. An item's entity replaces the default whole, but for a name that it leaves to the default. */
const NAMES = { subject: ['type', 'id'], action: ['name'], resource: ['type', 'id'] } as const

function withDefaults(item: JsonObject, defaults: JsonObject): JsonObject {
  const filled = Object.entries(NAMES).map(([entity, names]) => {
    const own = item[entity]
    const common = defaults[entity]
    if (!isObject(own) || !isObject(common)) return [entity, own === undefined ? common : own]
    const named = names.filter((name) => common[name] !== undefined).map((name) => [name, common[name]])
    return [entity, { ...Object.fromEntries(named), ...own }]
  })
  const context = item.context === undefined ? defaults.context : item.context
  return defined({ ...Object.fromEntries(filled), context }) as JsonObject
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The request's id joins the audit row with the caller's own log, where it can be kept as it is. */
function requestId(c: Call): { correlation_id?: string } {
  const id = c.req.header('x-request-id')
  return id !== undefined && /^[\x21-\x7e]{1,255}$/.test(id) ? { correlation_id: id } : {}
}

/** The address that the request came to, never a name that it claims. */
function ownAddress(c: Call): string {
  const { localAddress = '127.0.0.1', localPort } = c.env.incoming.socket
  const host = localAddress.startsWith('::ffff:') ? localAddress.slice(7) : localAddress
  return `http://${host.includes(':') ? `[${host}]` : host}:${localPort}`
}
