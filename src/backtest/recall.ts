/** A decision's audit row as the question that policy was asked then. */
import type { Catalogue } from '../catalogue/index.ts'
import type { VaultKey } from '../model/agent.ts'
import type { DecisionInput, Verdict } from '../model/decision.ts'
import { defined } from '../model/defined.ts'
import type { AuditEvent } from '../model/event.ts'
import type { JsonObject, Params } from '../model/operation.ts'
import { isRefusal } from '../model/refusal.ts'

/** Why a row cannot be asked again. */
export const LEFT_OUT = {
  undecided: 'refused before policy was asked',
  unlisted: 'of an operation that the catalogue does not list',
  key_unknown: 'of a vault key that is not known here',
} as const
export type LeftOut = keyof typeof LEFT_OUT

export interface Recorded {
  readonly event: AuditEvent
  readonly input: DecisionInput
  /** What policy said then. A call that a cap refused afterwards was allowed by policy. */
  readonly then: Verdict
  /** The call went on, or would have but for its dry run: no cap and no unknown price stood in its way. */
  readonly unhindered: boolean
  /** Dotted names of the params that are recorded redacted. */
  readonly redacted: readonly string[]
}

export interface Recall {
  readonly catalogue: Pick<Catalogue, 'resolve' | 'guarded'>
  /** Revoked and expired keys are known as well: what limited them then still tells. */
  readonly key: (id: string) => VaultKey | undefined
}

/** As the catalogue writes it in the place of what must not be shown. */
const REDACTED = '[redacted]'

/** Who answers questions beside the path of calls, and objects to some of them itself. */
const JUDGE = 'countersign.judge'
const KEY_RULE = 'countersign.key'

export function recall(event: AuditEvent, { catalogue, key: find }: Recall): Recorded | LeftOut {
  const { params, policy_revision, role, project, run, turn, correlation_id, customer, cost, currency } = event
  if (policy_revision === undefined || isOf(event, JUDGE)) return 'undecided'
  const operation = catalogue.resolve(event.provider ?? '', event.operation ?? '')
  if (isRefusal(operation) || params === undefined) return 'unlisted'
  const key = keyOf(event, find)
  if (!key) return 'key_unknown'

  const { provider, name, group, effect, action, resource, method, path } = operation
  const input: DecisionInput = defined({
    provider,
    operation: name,
    group,
    effect,
    action: event.action ?? action,
    resource: event.resource ?? resource,
    method,
    path,
    params,
    guarded: catalogue.guarded(operation, params as Params),
    amount: cost === undefined || currency === undefined ? undefined : { value: cost, currency },
    customer,
    agent: defined({ id: event.agent ?? '', role }),
    project,
    organisation: event.organisation,
    run,
    turn,
    occurrence: event.occurrence ?? 1,
    key,
    correlation_id,
    time: event.ts,
    spend: event.spend ?? [],
  })
  const then = verdictOf(event)
  const unhindered = then !== 'allow' || event.decision === 'allow'
  return { event, input, then, unhindered, redacted: redactedIn(params) }
}

const isOf = ({ reasons = [] }: AuditEvent, rule: string): boolean =>
  reasons.some((reason) => (reason as { readonly rule?: unknown }).rule === rule)

/** Policy's own verdict: a row's decision is the call's, which caps and prices may have refused after policy allowed it. */
function verdictOf({ decision, reason }: AuditEvent): Verdict {
  if (decision === 'hold' || reason === 'approval_required') return 'hold'
  return decision === 'deny' && (reason === undefined || reason === 'policy_denied') ? 'deny' : 'allow'
}

function keyOf(event: AuditEvent, find: Recall['key']): DecisionInput['key'] | undefined {
  if (event.key_id === undefined) {
    // The operator's question may have brought a key of its own. It is not recorded, but where it did not object, it counts
    // for nothing: a key only narrows, whatever the policy.
    return event.tags?.asked_by === 'operator' && !isOf(event, KEY_RULE) ? { id: 'operator' } : undefined
  }
  const key = find(event.key_id)
  if (!key) return undefined
  const known = seenByPolicy.get(key)
  if (known) return known
  const { id, providers, operations, endpoints, limits, customers } = key
  const seen = { id, ...defined({ providers, operations, endpoints, limits, customers }) }
  seenByPolicy.set(key, seen)
  return seen
}

/** One key makes many calls. */
const seenByPolicy = new WeakMap<VaultKey, DecisionInput['key']>()

function redactedIn(params: JsonObject): readonly string[] {
  const found: string[] = []
  const walk = (value: unknown, path: string): void => {
    if (typeof value === 'string') {
      if (value.includes(REDACTED)) found.push(path)
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) walk(member, path === '' ? name : `${path}.${name}`)
    }
  }
  walk(params, '')
  return found
}
