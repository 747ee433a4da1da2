/** The steps of the story that need more than one room, and the small turns between two steps. */
import { denialRow, type Known, outcomeRow, row } from './audit/index.ts'
import { actualCost, type Catalogue, parseForm, redactText } from './catalogue/index.ts'
import type { Sealer } from './identity/index.ts'
import type { RepeatMode, VaultKey } from './model/agent.ts'
import type { Budget, BudgetLine, Held } from './model/budget.ts'
import type { Answered, CallRequest, Refused, Reply, RouteTarget } from './model/call.ts'
import type { Admitted, Counters } from './model/counters.ts'
import type { Decision, Policy, SpendFact } from './model/decision.ts'
import { defined } from './model/defined.ts'
import type { AuditEvent } from './model/event.ts'
import { Fault } from './model/fault.ts'
import type { EventId } from './model/id.ts'
import type { Intent, WireRequest } from './model/intent.ts'
import type { CallRecord, Identity } from './model/journal.ts'
import type { Money } from './model/money.ts'
import type { Facts, JsonObject, Operation, Params } from './model/operation.ts'
import type { Answer, Outcome } from './model/outcome.ts'
import { isRefusal, REFUSALS, type Refusal, type RefusalCode, refuse } from './model/refusal.ts'
import { type CallIdentity, judgeTwins } from './replay/index.ts'
import type { CallSettings, RepeatSettings, Rooms } from './rooms.ts'
import { cappedRefusal, linesFor, settledBy } from './spend/index.ts'

/** A settled claim outlives the look-ups that began before it was settled. */
const CLAIM_KEPT_MS = 60_000

export const namesOf = ({ provider, target, occurrence, call_id, turn, correlation_id }: CallRequest) => ({
  provider,
  asked: legible('operation' in target ? target.operation : `${target.method} ${target.path}`),
  occurrence: occurrence ?? 1,
  ...defined({ call_id, turn, correlation_id }),
})

/** What a stranger wrote, for a row: bounded, without a secret, and without what a terminal would obey or a database refuse. */
const legible = (text: string): string => redactText(text.slice(0, 200)).replace(/\p{C}/gu, '\ufffd')

/** Facts for a row: what names a customer came from a stranger too. */
export const recordable = ({ amount, customer }: Facts): Facts =>
  defined({ amount, customer: customer === undefined ? undefined : redactText(customer) })

/** A key that is bound to a run speaks for that run alone: else an agent could leave its budgets and its past behind. */
export function runOf(key: VaultKey, request: CallRequest): { run?: string } | Refusal {
  if (key.run !== undefined && request.run !== undefined && request.run !== key.run)
    return refuse('run_mismatch', `The key ${key.id} belongs to run ${key.run}; the call says run ${request.run}.`)
  return defined({ run: key.run ?? request.run })
}

export function resolve(
  catalogue: Catalogue,
  request: CallRequest,
): { operation: Operation; params: unknown } | Refusal {
  const { provider, target } = request
  if ('operation' in target) {
    const operation = catalogue.resolve(provider, target.operation)
    if (isRefusal(operation)) return operation
    return isRefusal(target.params) ? target.params : { operation, params: target.params }
  }
  if (isRefusal(target.body)) return target.body
  const route = catalogue.resolveRoute(provider, target.method, target.path)
  if (isRefusal(route)) return route
  const { operation, pathParams } = route
  const params = paramsOf(target, target.body, operation, pathParams)
  return isRefusal(params) ? params : { operation, params }
}

/** Params come in one place: the query for GET, the body for POST, either for DELETE. Two places could contradict. */
function paramsOf(
  { method, query, content_type }: RouteTarget,
  body: Buffer,
  operation: Operation,
  pathParams: Readonly<Record<string, string>>,
): unknown {
  if (body.length === 0) {
    if (method === 'POST' && query !== '')
      return refuse('malformed_request', 'A POST carries its params in the body, and this one has a query.')
    return parseForm(query, operation, pathParams)
  }
  if (method === 'GET')
    return refuse('malformed_request', 'A GET carries its params in the query, and this one has a body.')
  if (query !== '') return refuse('malformed_request', 'The params are partly in the query and partly in the body.')
  if (content_type?.split(';')[0]?.trim().toLowerCase() !== 'application/x-www-form-urlencoded')
    return refuse('malformed_request', 'The body is not declared as application/x-www-form-urlencoded.')
  return parseForm(body, operation, pathParams)
}

export function repeatOf(
  repeat: RepeatSettings,
  key: VaultKey,
  operation: Operation,
): { mode: RepeatMode; window_s: number } {
  const group = repeat.groups[operation.group]
  return { mode: key.repeat ?? group?.mode ?? repeat.mode, window_s: group?.window_s ?? repeat.window_s }
}

/**
 * Reads what the call only names, so that policy judges the real customer, currency and amount. No audit store, no call:
 * not even a look-up leaves where nothing could be written down afterwards.
 */
async function enrich(
  { catalogue, upstream, journal }: Rooms,
  operation: Operation,
  params: Params,
  organisation: string,
): Promise<Facts | Refusal> {
  const objects: Record<string, JsonObject> = {}
  for (;;) {
    const lookup = catalogue.nextLookup(operation, params, objects)
    if (!lookup) return catalogue.facts(operation, params, objects)
    await journal.ping()
    const object = await upstream(operation.provider).read(lookup.path, organisation)
    if (isRefusal(object)) return { ...object, detail: redactText(object.detail) }
    objects[lookup.as] = object
  }
}

export const linesOf = (
  settings: CallSettings,
  known: Known,
  facts: Facts,
  now: Date,
  budgets: readonly Budget[] = [...settings.budgets, ...known.key!.budgets],
): readonly BudgetLine[] | Refusal => {
  const { key, operation, run } = known
  const { organisation, project, agent, id } = key!
  return linesFor({
    budgets,
    call: defined({
      organisation,
      project,
      agent: agent.id,
      role: agent.role,
      run,
      key: id,
      customer: facts.customer,
      provider: operation!.provider,
      group: operation!.group,
    }),
    amount: operation!.cost === 'amount' ? facts.amount : undefined,
    now,
    rates: settings.rates,
  })
}

export async function spendFacts(
  counters: Counters,
  organisation: string,
  lines: readonly BudgetLine[],
): Promise<readonly SpendFact[]> {
  if (lines.length === 0) return []
  const states = await counters.read(
    organisation,
    lines.map((line) => line.counter),
  )
  return lines.map(({ budget, scope, window, cap, currency }, at) => {
    const { spent, reserved } = states[at]!
    return { budget, scope, window, cap, spent, reserved, currency }
  })
}

/** What policy is told of a call beside its params: what it would move, and where the budgets stand that it falls under. */
export async function situate(
  rooms: Rooms,
  known: Known,
  operation: Operation,
  params: Params,
): Promise<Situation | Refusal> {
  const { organisation } = known.key!
  const facts = await enrich(rooms, operation, params, organisation)
  if (isRefusal(facts)) return facts
  const lines = linesOf(rooms.settings, known, facts, rooms.now())
  return { facts, lines, spend: isRefusal(lines) ? [] : await spendFacts(rooms.counters, organisation, lines) }
}

interface Situation {
  readonly facts: Facts
  /** Refused where a budget cannot price the call; a denial by policy comes first. */
  readonly lines: readonly BudgetLine[] | Refusal
  readonly spend: readonly SpendFact[]
}

interface Question {
  readonly known: Known
  readonly operation: Operation
  readonly params: Params
  readonly guarded: readonly string[]
  readonly facts: Facts
  readonly spend: readonly SpendFact[]
  readonly time: Date
}

export function decide(policy: Policy, { known, operation, params, guarded, facts, spend, time }: Question): Decision {
  const { key, run, turn, correlation_id, occurrence = 1 } = known
  const { id, providers, operations, endpoints, limits, customers, organisation, project, agent } = key!
  const { provider, name, group, effect, action, resource, method, path } = operation
  try {
    return policy.decide({
      ...{ provider, operation: name, group, effect, action, resource, method, path, params },
      ...{ guarded, agent, organisation, occurrence, time: time.toISOString(), spend },
      ...defined({ amount: facts.amount, customer: facts.customer, project, run, turn, correlation_id }),
      key: { id, ...defined({ providers, operations, endpoints, limits, customers }) },
    })
  } catch (cause) {
    throw cause instanceof Fault ? cause : new Fault('policy_unavailable', 'evaluation failed', cause)
  }
}

export const denial = (decision: Decision): Refusal =>
  refuse(
    decision.decision === 'hold' ? 'approval_required' : 'policy_denied',
    decision.reasons.map((reason) => reason.message).join(' '),
    { reasons: decision.reasons },
  )

export const priceUnknown = (operation: Operation): Refusal =>
  refuse('price_unknown', `${operation.name} moves money, and neither its params nor what they name say how much.`)

/** A dry run reserves nothing, so it can only compare. */
export function overCap(lines: readonly BudgetLine[], spend: readonly SpendFact[]): Refusal | undefined {
  for (const [at, line] of lines.entries()) {
    const { spent, reserved } = spend[at]!
    if (line.amount > 0 && spent + reserved + line.amount > line.cap) return cappedRefusal(line, { spent, reserved })
  }
  return undefined
}

/** What the story goes on with: reserved, or nothing that needed it. */
type Reservation = Admitted | { readonly kind: 'reserved'; readonly generation: null; readonly alerts: readonly [] }

/** A call that draws on nothing and repeats nothing has nothing to reserve, and does not wait for the counters. */
export async function reserve(
  counters: Counters,
  organisation: string,
  event_id: EventId,
  { identities }: CallIdentity,
  lines: readonly BudgetLine[],
): Promise<Reservation> {
  if (lines.length + identities.length === 0) return { kind: 'reserved', generation: null, alerts: [] }
  return counters.reserve({ organisation, event_id, identities: identities.map(({ name }) => name), lines })
}

const COUNTERS_LOST =
  'The spend counters lost their memory (restart, flush or failover) and are being rebuilt from the ledger.'

/** Starts the rebuild, and says so. `refused`: the generation of an intent that came too late. */
export function rehydrating(rooms: Rooms, organisation: string, refused?: number | null): Refusal {
  rooms.rehydrate(organisation, refused ?? 0)
  return refuse('counters_rehydrating', COUNTERS_LOST)
}

const requestPlace = (event: EventId): string => `request ${event}`
const answerPlace = (event: EventId): string => `answer ${event}`

export const sealRequest = (bodies: Sealer, event: EventId, wire: WireRequest): Buffer =>
  bodies.seal(JSON.stringify(wire), requestPlace(event))

export const openRequest = (bodies: Sealer, record: CallRecord): WireRequest =>
  JSON.parse(bodies.open(record.sealed_request, requestPlace(record.event_id)))

/**
 * A gateway that has lost the journal for long may have had this call taken over: another one may be sending it again, and
 * with effect. It may still report an effect, but no longer that there surely was none.
 */
export function sureOf({ pulse, settings, now }: Rooms, outcome: Outcome): Outcome {
  const lost = now().getTime() - pulse.at >= settings.silent_ms / 2
  if (outcome.kind !== 'failed' || !lost) return outcome
  return {
    ...outcome,
    kind: 'unknown',
    detail: `${outcome.detail}; the gateway was out of touch with its journal meanwhile`,
  }
}

export const openAnswer = (bodies: Sealer, { event_id, sealed_answer }: CallRecord): Answer | undefined =>
  sealed_answer && JSON.parse(bodies.open(sealed_answer, answerPlace(event_id)))

/**
 * Commits the outcome with what settles in the ledger, then settles the counters. The ledger is the truth: counters that
 * could not be told are brought up by `recover.ts`, and until then hold too much, never too little. False: the call had its
 * outcome already, and that one stands.
 */
export async function finish(
  rooms: Rooms,
  known: Known,
  { event_id, organisation, operation }: Intent,
  outcome: Outcome,
  held: readonly Held[],
  identities: readonly Identity[],
): Promise<boolean> {
  const { kind } = outcome
  const amount = actualCost(operation, known.facts?.amount, outcome.answer)
  const spent = kind === 'unknown' ? null : kind === 'failed' ? [] : settledBy(held, amount, rooms.settings.rates)
  const answer = outcome.answer && {
    sealed_answer: rooms.bodies.seal(JSON.stringify(outcome.answer), answerPlace(event_id)),
  }
  const first = await rooms.journal.commitOutcome({ event_id, kind, spent, ...answer }, [
    outcomeRow({ ...known, facts: defined({ ...known.facts, amount }) }, outcome, rooms.now()),
  ])
  // Another gateway took the call over and ended it: what its outcome settled is what holds.
  const settled = first ? spent : await rooms.journal.settled(event_id)
  if (settled === null) return first
  const keep_ms = kind === 'succeeded' ? keptFor(identities) : 0
  const settling = rooms.counters
    .settle(organisation, event_id, settled, keep_ms)
    .catch((fault: unknown) => rooms.onFault(event_id, fault))
  if (kind === 'failed' || givesBack(held, settled)) await settling
  return first
}

/** Only what is freed, here or by a failed call's claim, can the next call miss: else the reply need not wait for it. */
const givesBack = (held: readonly Held[], settled: readonly Held[]): boolean =>
  held.some(({ counter, amount }) => (settled.find((line) => line.counter === counter)?.amount ?? 0) < amount)

/** No longer than the journal itself would call another one a twin. */
const keptFor = (identities: readonly Identity[]): number =>
  Math.min(CLAIM_KEPT_MS, ...identities.map(({ window_s = Number.POSITIVE_INFINITY }) => window_s * 1_000))

export function replyTo(event_id: EventId, operation: Operation, outcome: Outcome, facts: Facts): Reply {
  const { kind, answer } = outcome
  const refused = (code: RefusalCode): Refused => ({
    ...{ kind: 'refused', event_id, operation },
    refusal: refuse(code, outcome.detail),
  })
  if (kind === 'unknown') return refused('outcome_unknown')
  if (!answer) return refused('upstream_failed')
  const cost = defined({ amount: actualCost(operation, facts.amount, answer) })
  return { kind: 'answered', event_id, replayed: false, operation, answer, ...(kind === 'succeeded' && costOf(cost)) }
}

/** What the call was reserved for, as its decision row says. */
export const reservedFor = ({ cost, currency }: AuditEvent): Money | undefined =>
  cost === undefined || currency === undefined ? undefined : { value: cost, currency }

export const costOf = ({ amount }: Facts): { cost?: Money } => (amount ? { cost: amount } : {})

/**
 * The first call's answer, from its record, once it is there. A twin that joined a running call shares whatever it comes
 * to, a declined card included. Null: the first came to nothing, and this call may be the first now.
 */
export async function join(
  rooms: Rooms,
  known: Known,
  identity: CallIdentity,
  first: EventId,
): Promise<Reply | Refusal | null> {
  const record = await rooms.running.settled(first, rooms.settings.join_ms)
  if (!record) return null
  // Two that raced met by name alone: whether they are one call is asked of what the first has written down.
  const prior = judgeTwins(identity, twinsIn(record, identity))
  if (isRefusal(prior)) return prior
  const reply = fromRecord(rooms, known.operation!, record)
  // The first's params, which are the same: what policy had redacted in them stays so.
  const told = reply.kind === 'answered' ? { http_status: reply.answer.status } : { reason: reply.refusal.code }
  await rooms.journal.append([
    row(
      'replay',
      { ...known, event_id: first, ...defined({ params: record.event.params }) },
      { ...told, outcome: record.state, cost: 0 },
      rooms.now(),
    ),
  ])
  return reply
}

const twinsIn = ({ identities, event_id }: CallRecord, call: CallIdentity) =>
  call.identities.flatMap((identity) => {
    const held = identities.find(({ name }) => name === identity.name)
    return held ? [{ identity, digest: held.digest, event_id }] : []
  })

/** The reply where another gateway has ended the call meanwhile: its outcome stands, whatever came of this sending. */
export async function recorded(rooms: Rooms, operation: Operation, event_id: EventId): Promise<Reply> {
  const record = await rooms.journal.call(event_id)
  if (!record) throw new Error(`event ${event_id} has an outcome and no intent`)
  return fromRecord(rooms, operation, record)
}

function fromRecord(rooms: Rooms, operation: Operation, record: CallRecord): Answered | Refused {
  const { event_id, state, event } = record
  const refused = (code: RefusalCode, detail: string): Refused => ({
    ...{ kind: 'refused', event_id, operation },
    refusal: refuse(code, detail),
  })
  if (state === 'running')
    return refused('call_in_flight', `Event ${event_id} has made this call and waits for its outcome.`)
  if (state === 'unknown')
    return refused('outcome_unknown', `Event ${event_id} was sent, and its outcome is not known yet.`)
  const answer = openAnswer(rooms.bodies, record)
  if (!answer) return refused('upstream_failed', `Event ${event_id} did not reach the provider.`)
  const cost = defined({ amount: actualCost(operation, reservedFor(event), answer) })
  return { kind: 'answered', event_id, replayed: true, operation, answer, ...(state === 'succeeded' && costOf(cost)) }
}

/** The reply when a part failed. Where the audit store is not that part, the refusal is written down like any other. */
export async function faulted(rooms: Rooms, known: Known, code: RefusalCode): Promise<Reply> {
  if (code === 'counters_rehydrating' && known.key) rooms.rehydrate(known.key.organisation)
  const refusal = refuse(code, FAULT_DETAIL[code] ?? `${REFUSALS[code].title}.`)
  if (code !== 'audit_unavailable' && code !== 'outcome_unknown') {
    try {
      await rooms.journal.append([denialRow(known, refusal, rooms.now())])
    } catch (fault) {
      rooms.onFault(known.event_id, fault)
      return faulted(rooms, known, 'audit_unavailable')
    }
  }
  return { kind: 'refused', event_id: known.event_id, refusal, ...defined({ operation: known.operation }) }
}

const FAULT_DETAIL: Partial<Record<RefusalCode, string>> = {
  audit_unavailable:
    'The database did not take the audit row, and without it nothing is sent. Send the same call again with the same call id: it joins whatever was written down.',
  counters_unavailable: 'Redis did not answer, so no spend could be reserved and nothing was sent.',
  counters_rehydrating: COUNTERS_LOST,
  policy_unavailable: 'The policy in force failed on this call, so nothing was sent.',
  outcome_unknown:
    'The call was sent, and what came of it could not be recorded yet. The gateway brings it to its end.',
}
