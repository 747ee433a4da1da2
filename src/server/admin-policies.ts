/** Policy on the admin plane: what is in force and was, another one, and the way back. */
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import type { JsonObject } from '../model/operation.ts'
import { isRefusal, type Refusal, refuse } from '../model/refusal.ts'
import type { PolicyChange, PolicyFile, StoredRevision } from '../model/revision.ts'
import { readBody } from './body.ts'
import { problem } from './problem.ts'

type Texts = Readonly<Record<string, string>>

export interface PolicyRoutes {
  readonly parseJson: (body: Buffer) => JsonObject | Refusal
  readonly policies: {
    history(limit: number): Promise<readonly PolicyChange[]>
    get(start: string): Promise<{ readonly stored: StoredRevision; readonly files: readonly PolicyFile[] } | Refusal>
    push(pushed: { readonly files?: Texts; readonly projects?: Texts }, by: string): Promise<object | Refusal>
    rollback(to: string | undefined, by: string): Promise<object | Refusal>
    status(): object
  }
  readonly reloadPolicy: () => Promise<object | Refusal>
}

/** The plane has one token, so it knows nobody by name. */
const BY = 'admin token'
const CHANGES = 100
const CHANGES_MAX = 1_000
const BODY_BYTES_MAX = 16 * 1024 * 1024
const REVISION = /^(sha256:)?[0-9a-f]{6,64}$/

export function policyRoutes(plane: PolicyRoutes): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>()
  const { policies } = plane
  const bodyOf = async (incoming: HttpBindings['incoming']): Promise<JsonObject | Refusal> => {
    const body = await readBody(incoming, BODY_BYTES_MAX)
    if (isRefusal(body)) return body
    return body.length === 0 ? {} : plane.parseJson(body)
  }
  const answer = (result: object | Refusal): Response => (isRefusal(result) ? problem(result) : Response.json(result))

  app.get('/admin/policies', async (c) => {
    const limit = Number(c.req.query('limit') ?? CHANGES)
    if (!(Number.isInteger(limit) && limit > 0 && limit <= CHANGES_MAX))
      return problem(
        refuse('invalid_params', `limit is not a whole number from 1 to ${CHANGES_MAX}.`, {
          fix: `Leave it out for the last ${CHANGES} changes, or correct it.`,
        }),
      )
    const changes = (await policies.history(limit)).map(({ signature, ...change }) => ({
      ...change,
      signature: signature.toString('base64'),
    }))
    return c.json({ in_force: policies.status(), changes })
  })

  app.get('/admin/policies/:revision', async (c) => {
    const { revision: start } = c.req.param()
    if (!REVISION.test(start))
      return problem(
        refuse('invalid_params', 'This is not a revision, nor its first letters.', {
          fix: 'Write sha256:… or six of its letters or more; GET /admin/policies shows the history.',
        }),
      )
    const found = await policies.get(start)
    if (isRefusal(found)) return problem(found)
    const { revision, own_digest, created_at, signature, public_key } = found.stored
    return c.json({
      revision,
      own_digest,
      created_at,
      algorithm: 'Ed25519',
      public_key: public_key.toString('base64'),
      signature: signature.toString('base64'),
      files: Object.fromEntries(found.files.map(({ name, content }) => [name, content])),
    })
  })

  app.post('/admin/policies', async (c) => {
    const tree = await bodyOf(c.env.incoming)
    if (isRefusal(tree)) return problem(tree)
    const stray = Object.keys(tree).find((name) => name !== 'files' && name !== 'projects')
    const { files, projects } = tree
    if (stray !== undefined || (files === undefined && projects === undefined) || ![files, projects].every(isTexts))
      return problem(
        refuse('invalid_params', 'The body is not files and projects, each a map of paths to texts.', {
          fix: 'Send {"files": {"tool_decision.rego": "…"}, "projects": {"billing.yaml": "…"}}; what is left out stays as it is.',
        }),
      )
    return answer(
      await policies.push(
        { ...(files && { files: files as Texts }), ...(projects && { projects: projects as Texts }) },
        BY,
      ),
    )
  })

  app.post('/admin/policies/rollback', async (c) => {
    const tree = await bodyOf(c.env.incoming)
    if (isRefusal(tree)) return problem(tree)
    const { to } = tree
    // A misspelt `to` must not be taken for the revision before.
    const stray = Object.keys(tree).find((name) => name !== 'to')
    if (stray !== undefined || (to !== undefined && (typeof to !== 'string' || !REVISION.test(to))))
      return problem(
        refuse('invalid_params', `${stray ?? 'to'} is not a revision to go back to.`, {
          fix: 'Send {"to": "sha256:…"}, or {} for the revision before.',
        }),
      )
    return answer(await policies.rollback(to, BY))
  })

  app.post('/admin/policies/reload', async () => answer(await plane.reloadPolicy()))
  return app
}

const isTexts = (value: unknown): boolean =>
  value === undefined ||
  (typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((text) => typeof text === 'string'))
