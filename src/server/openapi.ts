/** `/openapi.json`, made from the schemas and the table of refusals, so that it cannot say anything else than the code. */
import { REFUSALS } from '../model/refusal.ts'

export interface ApiSchemas {
  readonly call: object
  readonly vaultKey: object
  readonly config: object
}

const json = (schema: object) => ({ 'application/json': { schema } })
const EVENT_HEADERS = {
  'Countersign-Event-Id': { schema: { type: 'string', format: 'uuid' }, description: 'The audit event id of the call' },
  'Countersign-Decision': { schema: { enum: ['allow', 'deny', 'hold'] } },
  'Countersign-Replayed': { schema: { enum: ['true'] }, description: "Where the answer is a record's" },
}
const path = (name: string) => ({ name, in: 'path', required: true, schema: { type: 'string' } })
const query = (name: string) => ({ name, in: 'query', schema: { type: 'string' } })
const refusal = {
  description: 'A refusal',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}
const inForce = { description: 'The revision in force', content: json({ type: 'object' }) }
/** Paths of files, and what is in them. */
const TEXTS = { type: 'object', additionalProperties: { type: 'string' } }
const agent = [{ vaultKey: [] }]
const admin = [{ adminToken: [] }]
const key = { description: 'The vault key', content: json({ type: 'object' }) }

export const openApi = ({ call, vaultKey, config }: ApiSchemas): object => ({
  openapi: '3.1.0',
  info: {
    title: 'Countersign',
    version: '1',
    description:
      'Calls of AI agents to providers: decided by policy, reserved, recorded, forwarded once. Paths under /admin are served by the admin plane, on its own port.',
  },
  paths: {
    '/v1/providers/{provider}/operations/{operation}': {
      post: {
        summary: 'Call a provider by the name of the operation',
        security: agent,
        parameters: [path('provider'), path('operation'), query('dry_run')],
        requestBody: { required: true, content: json(bare(call)) },
        responses: {
          200: {
            description: "The provider's answer",
            headers: EVENT_HEADERS,
            content: json({ $ref: '#/components/schemas/Result' }),
          },
          default: refusal,
        },
      },
    },
    '/v1/calls/{event_id}': {
      get: {
        summary: 'What became of a call',
        security: agent,
        parameters: [path('event_id')],
        responses: {
          200: { description: 'The call', content: json({ $ref: '#/components/schemas/Call' }) },
          default: refusal,
        },
      },
    },
    '/v1/operations': {
      get: {
        summary: 'What this vault key may ask for, with schemas',
        security: agent,
        responses: { 200: { description: 'Operations', content: json({ type: 'object' }) }, default: refusal },
      },
    },
    '/v1/data/tool_decision': {
      post: {
        summary: "The decision alone, as OPA's REST API answers; nothing is reserved or sent",
        security: agent,
        requestBody: {
          required: true,
          content: json({ type: 'object', required: ['input'], properties: { input: { type: 'object' } } }),
        },
        responses: { 200: { description: 'The decision', content: json({ type: 'object' }) }, default: refusal },
      },
    },
    '/v1/data/{path}': {
      post: {
        summary: "A part of the decision, as OPA's REST API answers: tool_decision/allow, countersign/decision",
        security: agent,
        parameters: [path('path')],
        requestBody: { content: json({ type: 'object', properties: { input: { type: 'object' } } }) },
        responses: { 200: { description: 'The part, or {} where it is undefined', content: json({ type: 'object' }) } },
      },
    },
    '/v1/batch/data/{path}': {
      post: {
        summary: 'Many decisions in one request',
        security: agent,
        parameters: [path('path')],
        requestBody: { content: json({ type: 'object', properties: { inputs: { type: 'object' } } }) },
        responses: { 200: { description: 'One answer for each input', content: json({ type: 'object' }) } },
      },
    },
    '/access/v1/evaluation': {
      post: {
        summary: 'AuthZEN 1.0 access evaluation',
        security: agent,
        requestBody: { required: true, content: json({ type: 'object', required: ['subject', 'action', 'resource'] }) },
        responses: { 200: { description: 'The decision', content: json({ type: 'object' }) } },
      },
    },
    '/access/v1/evaluations': {
      post: {
        summary: 'AuthZEN 1.0 access evaluations, with its three semantics',
        security: agent,
        requestBody: { required: true, content: json({ type: 'object' }) },
        responses: { 200: { description: 'The decisions', content: json({ type: 'object' }) } },
      },
    },
    '/.well-known/authzen-configuration': {
      get: {
        summary: 'AuthZEN metadata',
        responses: { 200: { description: 'Metadata', content: json({ type: 'object' }) } },
      },
    },
    '/{provider}/{path}': {
      post: {
        summary: "The provider's own API, for its unmodified SDK (any method)",
        security: agent,
        parameters: [path('provider'), path('path')],
        responses: {
          default: {
            description: "The provider's answer, or a refusal in the provider's own error shape",
            headers: EVENT_HEADERS,
          },
        },
      },
    },
    '/admin/vault-keys': {
      get: {
        summary: 'List vault keys',
        security: admin,
        parameters: ['organisation', 'project', 'agent', 'role', 'run'].map(query),
        responses: { 200: { description: 'Keys', content: json({ type: 'object' }) } },
      },
      post: {
        summary: 'Create a vault key; the secret is shown once',
        security: admin,
        requestBody: { required: true, content: json(rebased(bare(vaultKey))) },
        responses: { 201: key, default: refusal },
      },
    },
    '/admin/vault-keys/{id}': {
      get: {
        summary: 'Show a vault key with its spend so far',
        security: admin,
        parameters: [path('id')],
        responses: { 200: key, default: refusal },
      },
    },
    '/admin/vault-keys/{id}/revoke': {
      post: {
        summary: 'Revoke a vault key',
        security: admin,
        parameters: [path('id')],
        responses: { 200: key, default: refusal },
      },
    },
    '/admin/vault-keys/{id}/rotate': {
      post: {
        summary: 'A new key like this one; the old one ends after the overlap',
        security: admin,
        parameters: [path('id')],
        responses: { 201: key, default: refusal },
      },
    },
    '/admin/vault-keys/revoke': {
      post: {
        summary: 'Revoke all keys that fit a filter',
        security: admin,
        responses: { 200: { description: 'The ids', content: json({ type: 'object' }) }, default: refusal },
      },
    },
    '/admin/credentials/{provider}': {
      put: {
        summary: "Store a provider's credential, encrypted",
        security: admin,
        parameters: [path('provider')],
        responses: { 204: { description: 'Stored' }, default: refusal },
      },
    },
    '/admin/policies': {
      get: {
        summary: 'The policy in force, and how it came to be, newest change first',
        security: admin,
        parameters: [query('limit')],
        responses: { 200: { description: 'Changes', content: json({ type: 'object' }) }, default: refusal },
      },
      post: {
        summary: 'Put policy files in force on every gateway; what is left out stays as it is',
        security: admin,
        requestBody: {
          required: true,
          content: json({ type: 'object', properties: { files: TEXTS, projects: TEXTS } }),
        },
        responses: { 200: inForce, default: refusal },
      },
    },
    '/admin/policies/{revision}': {
      get: {
        summary: 'The files of a revision, signed',
        security: admin,
        parameters: [path('revision')],
        responses: { 200: { description: 'The revision', content: json({ type: 'object' }) }, default: refusal },
      },
    },
    '/admin/policies/rollback': {
      post: {
        summary: 'Put an earlier revision in force again: `to`, or the one before',
        security: admin,
        requestBody: { content: json({ type: 'object', properties: { to: { type: 'string' } } }) },
        responses: { 200: inForce, default: refusal },
      },
    },
    '/admin/policies/reload': {
      post: {
        summary: 'Load the policy files again',
        security: admin,
        responses: { 200: inForce, default: refusal },
      },
    },
    '/admin/audit': {
      get: {
        summary: 'Audit rows, oldest first; Accept: application/x-ndjson streams them all',
        security: admin,
        parameters: [
          'run',
          'agent',
          'project',
          'key',
          'provider',
          'operation',
          'decision',
          'event_id',
          'correlation_id',
          'since',
          'until',
          'limit',
          'cursor',
        ].map(query),
        responses: {
          200: { description: 'Rows', content: { ...json({ type: 'object' }), 'application/x-ndjson': {} } },
          default: refusal,
        },
      },
    },
    '/healthz': { get: { summary: 'The process answers', responses: { 200: { description: 'It does' } } } },
    '/readyz': {
      get: {
        summary: 'Every part is there',
        responses: { 200: { description: 'Ready' }, 503: { description: 'Which part is missing' } },
      },
    },
    '/metrics': { get: { summary: 'Prometheus metrics', responses: { 200: { description: 'Text' } } } },
  },
  components: {
    securitySchemes: {
      vaultKey: { type: 'http', scheme: 'bearer', description: 'A vault key, cs_…' },
      adminToken: { type: 'http', scheme: 'bearer', description: 'The admin token' },
    },
    schemas: {
      Budget: (config as { $defs: { budget: object } }).$defs.budget,
      Result: {
        type: 'object',
        required: ['event_id', 'decision', 'replayed', 'status', 'data'],
        properties: {
          event_id: { type: 'string', format: 'uuid' },
          decision: { const: 'allow' },
          replayed: { type: 'boolean' },
          status: { type: 'integer' },
          data: { description: "The provider's answer" },
          cost: {
            type: 'object',
            properties: { amount: { type: 'integer', description: 'Minor units' }, currency: { type: 'string' } },
          },
        },
      },
      Call: {
        type: 'object',
        required: ['event_id', 'state'],
        properties: {
          event_id: { type: 'string', format: 'uuid' },
          state: { enum: ['denied', 'running', 'succeeded', 'failed', 'unknown'] },
          status: { type: 'integer' },
          data: {},
          error: {},
        },
      },
      Problem: {
        type: 'object',
        required: ['type', 'title', 'status', 'code', 'detail', 'fix', 'retryable', 'reasons'],
        properties: {
          type: { type: 'string' },
          title: { type: 'string' },
          status: { type: 'integer' },
          code: { enum: Object.keys(REFUSALS) },
          detail: { type: 'string' },
          fix: { type: 'string' },
          retryable: {
            type: 'boolean',
            description: 'The same call, with the same call id, may be sent again and could then pass',
          },
          event_id: { type: 'string', format: 'uuid' },
          reasons: {
            type: 'array',
            items: {
              type: 'object',
              properties: { code: { type: 'string' }, message: { type: 'string' }, rule: { type: 'string' } },
            },
          },
        },
      },
    },
  },
})

/** A schema inside the document has neither an id nor definitions of its own: what it refers to is written out. */
function bare({
  $schema,
  $id,
  $defs,
  ...schema
}: {
  $schema?: string
  $id?: string
  $defs?: Record<string, object>
}): object {
  return JSON.parse(
    JSON.stringify(schema, (_, value) => {
      const name = typeof value?.$ref === 'string' && /^#\/\$defs\/(\w+)$/.exec(value.$ref)?.[1]
      return name ? { ...$defs?.[name], ...value, $ref: undefined } : value
    }),
  )
}

const rebased = (schema: object): object =>
  JSON.parse(JSON.stringify(schema).replaceAll('countersign:config#/$defs/budget', '#/components/schemas/Budget'))
