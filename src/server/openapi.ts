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
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const answer = (description: string, schema: object) => ({ description, content: json(schema) })
const refusal = {
  description: 'A refusal',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
}
/** Paths of files, and what is in them. */
const TEXTS = { type: 'object', additionalProperties: { type: 'string' } }
const agent = [{ vaultKey: [] }]
const admin = [{ adminToken: [] }]
const key = { description: 'The vault key', content: json({ type: 'object' }) }

const REVISION = { type: 'string', pattern: '^sha256:[0-9a-f]{64}$' }
const REVISION_START = {
  type: 'string',
  pattern: '^(sha256:)?[0-9a-f]{6,64}$',
  description: 'sha256:…, or its first letters',
}
const BASE64 = { type: 'string', contentEncoding: 'base64' }
/** An object with these fields and no other; `?` marks those that may be absent. */
const fields = (all: Readonly<Record<string, object>>) => ({
  type: 'object',
  required: Object.keys(all).filter((name) => !name.endsWith('?')),
  additionalProperties: false,
  properties: Object.fromEntries(Object.entries(all).map(([name, schema]) => [name.replace('?', ''), schema])),
})

const POLICY_SCHEMAS = {
  PolicyStatus: fields({
    revision: { ...REVISION, description: 'What this gateway decides by' },
    'wanted?': { ...REVISION, description: 'In force for everybody, and not here' },
    'why?': { type: 'string', description: 'Why not' },
  }),
  PolicyChange: fields({
    seq: { type: 'integer', minimum: 1 },
    revision: REVISION,
    own_digest: { ...REVISION, description: 'The same without the library' },
    previous: { anyOf: [REVISION, { type: 'null' }] },
    origin: { enum: ['file', 'admin', 'bundle', 'rollback'] },
    by: { type: 'string', description: 'Which gateway, whose token, which address' },
    at: { type: 'string', format: 'date-time' },
    signature: { ...BASE64, description: 'Ed25519' },
  }),
  PolicyRevision: fields({
    revision: REVISION,
    own_digest: REVISION,
    created_at: { type: 'string', format: 'date-time' },
    algorithm: { const: 'Ed25519' },
    public_key: BASE64,
    signature: BASE64,
    files: { ...TEXTS, description: 'By path; the library under countersign/, project policies under projects/' },
  }),
  PolicyPush: {
    ...fields({
      'files?': { ...TEXTS, description: 'The whole of Rego and data, by path, without the library' },
      'projects?': { ...TEXTS, description: 'The whole of project policies, by file name' },
    }),
    minProperties: 1,
  },
  PolicyChanged: fields({
    changed: { type: 'boolean' },
    revision: { ...REVISION, description: 'In force after it' },
    'previous?': REVISION,
    'why?': { type: 'string', description: 'Why what was found did not take over' },
  }),
}

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
    '/v1/data': {
      get: {
        summary: 'All documents, as of /v1/data/{path}',
        security: agent,
        parameters: [query('input')],
        responses: { 200: { description: 'The documents', content: json({ type: 'object' }) } },
      },
      post: {
        summary: 'All documents, as of /v1/data/{path}',
        security: agent,
        requestBody: { content: json({ type: 'object', properties: { input: { type: 'object' } } }) },
        responses: { 200: { description: 'The documents', content: json({ type: 'object' }) } },
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
      get: {
        summary: 'The same with the input, as JSON, in the query',
        security: agent,
        parameters: [path('path'), query('input')],
        responses: { 200: { description: 'The part, or {} where it is undefined', content: json({ type: 'object' }) } },
      },
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
    '/': {
      post: {
        summary: "OPA's default decision: whether the input, which is the whole body, is allowed",
        security: agent,
        requestBody: { required: true, content: json({ type: 'object' }) },
        responses: { 200: { description: 'Allowed or not', content: json({ type: 'boolean' }) } },
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
        summary: 'What is in force, and the history of changes, newest first',
        security: admin,
        parameters: [
          { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 1_000, default: 100 } },
        ],
        responses: {
          200: answer('The history', {
            type: 'object',
            required: ['in_force', 'changes'],
            additionalProperties: false,
            properties: { in_force: ref('PolicyStatus'), changes: { type: 'array', items: ref('PolicyChange') } },
          }),
          default: refusal,
        },
      },
      post: {
        summary: 'Put a policy in force at every gateway; what is left out stays as it is',
        security: admin,
        requestBody: { required: true, content: json(ref('PolicyPush')) },
        responses: { 200: answer('What is in force now', ref('PolicyChanged')), default: refusal },
      },
    },
    '/admin/policies/{revision}': {
      get: {
        summary: 'What a revision is made of, with its signature',
        security: admin,
        parameters: [{ ...path('revision'), schema: REVISION_START }],
        responses: { 200: answer('The revision', ref('PolicyRevision')), default: refusal },
      },
    },
    '/admin/policies/rollback': {
      post: {
        summary: 'Put a revision of the history, or the one before, in force at every gateway',
        security: admin,
        requestBody: {
          content: json({ type: 'object', additionalProperties: false, properties: { to: REVISION_START } }),
        },
        responses: { 200: answer('What is in force now', ref('PolicyChanged')), default: refusal },
      },
    },
    '/admin/policies/reload': {
      post: {
        summary: 'Read the folders of this gateway now, as if they had changed',
        security: admin,
        responses: { 200: answer('What is in force now', ref('PolicyChanged')), default: refusal },
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
    '/openapi.json': {
      get: { summary: 'This description', responses: { 200: { description: 'OpenAPI 3.1', content: json({}) } } },
    },
    '/healthz': { get: { summary: 'The process answers', responses: { 200: { description: 'It does' } } } },
    '/readyz': {
      get: {
        summary: 'Every part is there',
        responses: { 200: { description: 'Ready' }, 503: { description: 'Which part is missing' } },
      },
    },
    '/health': {
      get: {
        summary: 'The same for clients of OPA',
        responses: { 200: { description: 'Ready' }, 500: { description: 'Which part is missing' } },
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
      ...POLICY_SCHEMAS,
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
