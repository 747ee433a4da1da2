/**
 * The decision alone, as OPA's REST API answers, for programs that speak to OPA already (`@open-policy-agent/opa` works
 * unmodified). The package `tool_decision` is one document: the decision, with `allow`, `deny` and `hold` as plain booleans,
 * so that a caller who asks for one of them is never left with undefined where the answer is no.
 */
import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import type { Decision } from '../model/decision.ts'
import { defined } from '../model/defined.ts'
import type { EventId } from '../model/id.ts'
import { isAnswered, type Judge, type Judgement, type Unjudged } from '../model/judgement.ts'
import type { JsonObject } from '../model/operation.ts'
import { isRefusal, REFUSALS, type Refusal, refuse } from '../model/refusal.ts'
import { readBody } from './body.ts'
import { credentialOf } from './credential.ts'
import { faultRefusal } from './problem.ts'

export interface OpaDoor {
  readonly parseJson: (body: Buffer) => JsonObject | Refusal
  readonly judge: Judge
  readonly readiness: () => Promise<{ readonly ready: boolean; readonly [part: string]: unknown }>
}

type Bindings = { Bindings: HttpBindings }
type Call = Context<Bindings>

export function opaDoor({ parseJson, judge, readiness }: OpaDoor): Hono<Bindings> {
  const app = new Hono<Bindings>()
  const parsed = (body: Buffer) => (body.length === 0 ? {} : parseJson(body))

  const data = async (c: Call, read: () => Promise<Question>): Promise<Response> => {
    const start = performance.now()
    const path = pathOf(c, '/v1/data')
    const { input, missing } = await read()
    const judged = await judge(credentialOf(c.env.incoming.headers.authorization), asks(path) ? [input] : [])
    if (!isAnswered(judged)) return failed(judged.refusal, judged.event_id)
    const [answer] = judged
    if (answer?.kind === 'refused') return failed(answer.refusal, answer.event_id)
    return json(c, 200, { ...document(c, path, answer, start), ...(missing && WARNING) }, answer)
  }
  const ofBody = async (c: Call): Promise<Question> => {
    const body = await readBody(c.env.incoming)
    const tree = isRefusal(body) ? body : parsed(body)
    return isRefusal(tree) ? { input: tree } : { input: tree.input, missing: tree.input === undefined }
  }
  const ofQuery = async (c: Call): Promise<Question> => {
    const text = c.req.query('input')
    return { input: text === undefined ? undefined : parseJson(Buffer.from(text)) }
  }

  app.on('POST', ['/v1/data', '/v1/data/*'], (c) => data(c, () => ofBody(c)))
  app.on('GET', ['/v1/data', '/v1/data/*'], (c) => data(c, () => ofQuery(c)))

  app.post('/v1/batch/data/*', async (c) => {
    const start = performance.now()
    const path = pathOf(c, '/v1/batch/data')
    const body = await readBody(c.env.incoming)
    const tree = isRefusal(body) ? body : parsed(body)
    const inputs = isRefusal(tree) ? tree : inputsOf(tree)
    const named = isRefusal(inputs) ? [['', inputs] as const] : Object.entries(inputs)
    const judged = await judge(
      credentialOf(c.env.incoming.headers.authorization),
      asks(path) || isRefusal(inputs) ? named.map(([, input]) => input) : [],
    )
    if (!isAnswered(judged)) return failed(judged.refusal, judged.event_id)
    if (isRefusal(inputs)) return failed(inputs, judged[0]?.event_id)
    const wrong = judged.filter(({ kind }) => kind === 'refused').length
    const status = wrong === 0 ? 200 : wrong < named.length ? 207 : 500
    const responses = named.map(([name], at) => {
      const answer = judged[at]
      const response = answer?.kind === 'refused' ? refused(answer) : document(c, path, answer, start)
      const code = status === 207 && { http_status_code: answer?.kind === 'refused' ? '500' : '200' }
      return [name, { ...response, ...code }]
    })
    return json(c, status, { responses: Object.fromEntries(responses), ...(flag(c, 'metrics') && timers(start)) })
  })

  // A yes or no, because whoever tests the default decision for truth must not read a denial's document as a yes.
  app.post('/', async (c) => {
    const body = await readBody(c.env.incoming)
    const input = isRefusal(body) ? body : parsed(body)
    const judged = await judge(credentialOf(c.env.incoming.headers.authorization), [input])
    const answer = isAnswered(judged) ? judged[0]! : judged
    if (answer.kind === 'refused') return failed(answer.refusal, answer.event_id)
    return json(c, 200, answer.decision.decision === 'allow', answer)
  })

  // A policy is in force whenever the gateway serves, so `bundles` and `plugins` ask for nothing more.
  app.get('/health', async (c) => {
    const { ready, ...parts } = await readiness()
    if (ready) return json(c, 200, {})
    return json(c, 500, { code: 'internal_error', error: `not ready: ${JSON.stringify(parts)}` })
  })

  app.on(['GET', 'POST'], ['/v1/compile', '/v1/compile/*'], () =>
    failed(refuse('not_found', 'Policies are not compiled into filters here: a decision is about one call.')),
  )
  app.onError((error) => failed(faultRefusal(error)))
  return app
}

interface Question {
  readonly input: unknown
  readonly missing?: boolean
}

const WARNING = {
  warning: { code: 'api_usage_warning', message: "'input' key missing from the request" },
}

/** The router has decoded them. */
const pathOf = (c: Call, prefix: string): readonly string[] =>
  c.req.path
    .slice(prefix.length)
    .split('/')
    .filter((segment) => segment !== '')

const PACKAGES = ['tool_decision', 'countersign']

/** What no package defines is undefined whatever the input, and nothing is judged for it. */
const asks = ([first]: readonly string[]): boolean => first === undefined || PACKAGES.includes(first)

function resultAt(path: readonly string[], decision: Decision): unknown {
  const { decision: verdict } = decision
  let at: unknown = {
    tool_decision: { ...decision, allow: verdict === 'allow', deny: verdict === 'deny', hold: verdict === 'hold' },
    countersign: { decision },
  }
  for (const segment of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, segment)) return undefined
    at = (at as Record<string, unknown>)[segment]
  }
  return at
}

function document(c: Call, path: readonly string[], judged: Judgement | undefined, start: number): object {
  if (judged === undefined) return {}
  const { event_id, decision, evaluation_ns } = judged
  const result = resultAt(path, decision)
  return {
    ...(event_id && { decision_id: event_id }),
    ...(result !== undefined && { result }),
    ...(flag(c, 'metrics') && timers(start, evaluation_ns)),
    ...(flag(c, 'provenance') && provenance(decision)),
    ...(EXPLAIN.has(c.req.query('explain') ?? '') && { explanation: explanation(decision) }),
  }
}

const EXPLAIN = new Set(['notes', 'fails', 'full', 'debug'])

/** What OPA gives as a trace, in words: the WASM that decides keeps none. `countersign policy` has the tools for more. */
const explanation = ({ decision, reasons }: Decision): readonly string[] => [
  ...reasons.map(({ code, message, rule }) => `${rule}: ${message} (${code})`),
  `countersign.decision = ${decision}`,
]

const timers = (start: number, evaluation_ns?: number) => ({
  metrics: defined({
    timer_rego_query_eval_ns: evaluation_ns,
    timer_server_handler_ns: Math.round((performance.now() - start) * 1e6),
  }),
})

const provenance = ({ policy_revision }: Decision) => ({
  provenance: { bundles: { tool_decision: { revision: policy_revision } } },
})

/** As OPA reads a flag: `?pretty` and `?pretty=true`. */
function flag(c: Call, name: string): boolean {
  const value = c.req.query(name)
  return value !== undefined && value !== 'false'
}

function inputsOf({ inputs, common_input }: JsonObject): JsonObject | Refusal {
  if (!isObject(inputs))
    return refuse('malformed_request', 'The batch has no object `inputs`: {"inputs": {"name": {…}}}.')
  if (common_input === undefined) return inputs
  if (!isObject(common_input)) return refuse('malformed_request', 'The batch has a `common_input` that is no object.')
  return Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [name, isObject(input) ? { ...common_input, ...input } : input]),
  )
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function json(c: Call, status: number, body: unknown, judged?: Judgement): Response {
  return new Response(flag(c, 'pretty') ? `${JSON.stringify(body, null, 2)}\n` : JSON.stringify(body), {
    status,
    headers: {
      'content-type': 'application/json',
      ...(judged && { 'countersign-decision': judged.decision.decision }),
      ...(judged?.event_id && { 'countersign-event-id': judged.event_id }),
    },
  })
}

const OPA_CODES: Readonly<Record<number, string>> = {
  400: 'invalid_parameter',
  401: 'unauthorized',
  404: 'resource_not_found',
  500: 'internal_error',
  503: 'internal_error',
}

function refused({ refusal, event_id }: Unjudged): object {
  const { status, fix } = REFUSALS[refusal.code]
  return {
    code: OPA_CODES[status] ?? refusal.code,
    message: `${refusal.detail} ${refusal.fix ?? fix}`,
    ...(event_id && { decision_id: event_id }),
  }
}

function failed(refusal: Refusal, event_id?: EventId): Response {
  return new Response(JSON.stringify(refused({ kind: 'refused', refusal, ...defined({ event_id }) })), {
    status: REFUSALS[refusal.code].status,
    headers: {
      'content-type': 'application/json',
      'countersign-decision': 'deny',
      ...(event_id && { 'countersign-event-id': event_id }),
    },
  })
}
