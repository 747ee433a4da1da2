/**
 * One API request in two steps, so that the server can misbehave between them: `begin` authenticates, finds the route
 * and claims the idempotency key; `finish` runs the endpoint, records its effect and saves its answer.
 */
import type { AccountState } from './account.ts'
import type { Change, SeenRequest } from './effects.ts'
import { accountRefused, StripeError, unknownRoute } from './error.ts'
import { expand, expansions } from './expand.ts'
import { parseForm } from './form.ts'
import type { Claim, Saved } from './idempotency.ts'
import { type Found, findRoute } from './routes.ts'
import type { Sandbox } from './sandbox.ts'

export interface Arrived {
  readonly method: string
  /** Without its query. */
  readonly path: string
  readonly query: string
  readonly body: string
  readonly content_type: string | undefined
  readonly stripe_version: string | undefined
  readonly stripe_account: string | undefined
  /** Of a POST; other methods have none, as at Stripe. */
  readonly idempotency_key: string | undefined
  readonly request_id: string
  readonly refusal: StripeError | undefined
  /** Its row in the ledger of requests. */
  readonly seen: SeenRequest
}

export interface Answer {
  readonly status: number
  readonly body: string
  /** The request whose answer this is, where an idempotency key was sent. */
  readonly original_request?: string
  readonly replayed?: true
}

export interface Begun {
  /** Runs the endpoint. */
  finish(): Answer
  /** Ends it unrun, with `answer` as the saved one where the idempotency key is to remember it. */
  abandon(answer?: Answer): void
  /** Makes the idempotency key remember another answer than the endpoint's own. */
  saveInstead(answer: Answer): void
}

export function begin(sandbox: Sandbox, arrived: Arrived): Begun {
  try {
    if (arrived.refusal) throw arrived.refusal
    const account = sandbox.account(arrived.stripe_account)
    if (account === undefined) throw accountRefused(arrived.stripe_account!)
    const found = findRoute(arrived.method, arrived.path)
    if (found === undefined) throw unknownRoute(arrived.method, arrived.path)
    if (arrived.body !== '' && !isForm(arrived.content_type)) throw NOT_A_FORM
    const form = arrived.query === '' ? arrived.body : `${arrived.query}&${arrived.body}`
    if (arrived.idempotency_key === undefined) return running(sandbox, arrived, account, found, form)
    const claim = sandbox.keys.begin(account.id, arrived.idempotency_key, arrived.path, form, Date.now())
    return 'save' in claim ? running(sandbox, arrived, account, found, form, claim) : replaying(arrived, claim)
  } catch (thrown) {
    return settled(errorAnswer(thrown))
  }
}

const settled = (answer: Answer): Begun => ({ finish: () => answer, abandon() {}, saveInstead() {} })

function replaying(arrived: Arrived, saved: Saved): Begun {
  arrived.seen.replayed = true
  return settled({ status: saved.status, body: saved.body, original_request: saved.request_id, replayed: true })
}

function running(
  sandbox: Sandbox,
  arrived: Arrived,
  account: AccountState,
  found: Found,
  form: string,
  claim?: Claim,
): Begun {
  const { request_id } = arrived
  const save = (answer: Answer) => claim?.save({ status: answer.status, body: answer.body, request_id })
  return {
    finish() {
      try {
        const body = JSON.stringify(run(sandbox, arrived, account, found, form))
        const answer: Answer = claim ? { status: 200, body, original_request: request_id } : { status: 200, body }
        save(answer)
        return answer
      } catch (thrown) {
        const answer = errorAnswer(thrown)
        if (thrown instanceof StripeError && thrown.stage === 'validation') claim?.forget()
        else save(answer)
        return answer
      }
    },
    abandon(answer) {
      if (answer) save(answer)
      else claim?.forget()
    },
    saveInstead: save,
  }
}

function run(sandbox: Sandbox, arrived: Arrived, account: AccountState, { route, ids }: Found, form: string): object {
  const params = parseForm(form)
  const paths = expansions(params, route.answers, route.list === true)
  const ms = Date.now()
  let changed: Change | undefined
  try {
    const call = { account, params, ids, path: arrived.path, now: Math.floor(ms / 1000) }
    const answer = route.run({
      ...call,
      changed(change) {
        changed = change
      },
    })
    return paths.length === 0 ? answer : expand(answer, paths, account)
  } finally {
    if (changed !== undefined) {
      const { request_id, idempotency_key = null } = arrived
      const at = new Date(ms).toISOString()
      sandbox.effects.append({ at, ...changed, account: account.id, idempotency_key, request_id })
      arrived.seen.effect = true
    }
  }
}

function errorAnswer(thrown: unknown): Answer {
  if (thrown instanceof StripeError) return { status: thrown.status, body: JSON.stringify({ error: thrown.body }) }
  process.stderr.write(`sandbox fault: ${thrown instanceof Error ? thrown.stack : String(thrown)}\n`)
  return { status: 500, body: JSON.stringify({ error: { type: 'api_error', message: 'An unknown error occurred' } }) }
}

const isForm = (type: string | undefined): boolean =>
  type === undefined || type.toLowerCase().startsWith('application/x-www-form-urlencoded')

const NOT_A_FORM = new StripeError(
  400,
  {
    type: 'invalid_request_error',
    message: 'Invalid request (check that your POST content type is application/x-www-form-urlencoded).',
  },
  'validation',
)
