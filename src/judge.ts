/**
 * A decision without a call, for whoever enforces it alone: authenticate → build the input → decide → audit row → reply.
 * Nothing is reserved, nothing is sent, and nobody here sees to it that the answer is kept to. Who acts is who the vault key
 * says: a question about anybody else is denied. The rest of the question is the asker's word, but what the catalogue and
 * the counters know is taken from them.
 */
import type { ValidateFunction } from 'ajv'
import { denialRow, type Known, row } from './audit/index.ts'
import type { Catalogue } from './catalogue/index.ts'
import type { VaultKey } from './model/agent.ts'
import type { Decision, DecisionAudit, DecisionInput } from './model/decision.ts'
import { defined } from './model/defined.ts'
import type { AuditEvent } from './model/event.ts'
import { Fault } from './model/fault.ts'
import { type EventId, newEventId } from './model/id.ts'
import type { Judge, Judged } from './model/judgement.ts'
import { isCurrency } from './model/money.ts'
import type { JsonObject, Operation, Params } from './model/operation.ts'
import { isRefusal, type Refusal, refuse } from './model/refusal.ts'
import type { Rooms } from './rooms.ts'
import { linesOf, recordable, spendFacts } from './steps/index.ts'

/** Rows on their way to the store under `buffered`; beyond, a reply waits for its own. */
const BUFFERED_MAX = 10_000

/** An asker's own agent, or null: the operator, who may ask about anybody. */
export type Asker = VaultKey | null

export interface Judging {
  readonly audit: DecisionAudit
  /** Checks against `schemas/decision-input.json`. */
  readonly valid: ValidateFunction
  readonly asker: (credential: string | null) => Promise<Asker | Refusal>
}

export function judging(rooms: Rooms, { audit, valid, asker }: Judging): Judge {
  const record = recorder(rooms, audit)
  const identity = () => (audit === 'off' ? undefined : newEventId())

  async function judge(key: Asker, question: unknown, rows: AuditEvent[]): Promise<Judged> {
    const event_id = identity()
    const input = isRefusal(question) ? question : await inputOf(rooms, key, question ?? {}, valid)
    if (isRefusal(input)) {
      if (event_id) rows.push(refusalRow(rooms, event_id, key, input))
      return { kind: 'refused', ...defined({ event_id }), refusal: input }
    }
    const start = performance.now()
    const decision = objection(rooms, key, question, input) ?? decide(rooms, input)
    const evaluation_ns = Math.round((performance.now() - start) * 1e6)
    if (event_id) rows.push(decisionRow(rooms, event_id, key, input, decision))
    return { kind: 'judged', ...defined({ event_id }), decision, evaluation_ns }
  }

  return async (credential, questions, last) => {
    const key = await asker(credential)
    const rows: AuditEvent[] = []
    if (isRefusal(key)) {
      const event_id = identity()
      if (event_id) rows.push(refusalRow(rooms, event_id, null, key))
      await record(rows)
      return { kind: 'refused', ...defined({ event_id }), refusal: key }
    }
    const answers: Judged[] = []
    for (const question of questions) {
      const judged = await judge(key, question, rows)
      answers.push(judged)
      if (last?.(judged)) break
    }
    await record(rows)
    return answers
  }
}

/** `commit`: resolves once the rows are. `buffered`: at once, and the rows follow with the next batch of the store. */
function recorder(rooms: Rooms, audit: DecisionAudit): (rows: readonly AuditEvent[]) => Promise<void> {
  let buffered = 0
  return async (rows) => {
    if (rows.length === 0) return
    const written = rooms.journal.append(rows)
    if (audit === 'commit' || buffered >= BUFFERED_MAX) return written
    buffered += rows.length
    written
      .catch((fault) => rooms.onFault(rows[0]!.event_id, fault))
      .finally(() => {
        buffered -= rows.length
      })
  }
}

type Given = { readonly [field: string]: unknown }

const isGiven = (value: unknown): value is Given => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The question as policy sees it: who acts from the key, what the operation is from the catalogue, the rest as asked. */
async function inputOf(
  rooms: Rooms,
  key: Asker,
  question: unknown,
  valid: ValidateFunction,
): Promise<DecisionInput | Refusal> {
  if (!isGiven(question)) return unreadable('The input is not an object.')
  const odd = Object.keys(question).find((name) => !Object.hasOwn(FIELDS, name))
  if (odd !== undefined) return unreadable(`The input has no field ${JSON.stringify(odd.slice(0, 100))}.`)
  const now = rooms.now()
  const operation = operationOf(rooms, question)
  const facts = operation ? factsOf(rooms, operation, question) : unlisted(question)
  const who = whoOf(key, question)
  const amount = facts.amount ?? question.amount
  if (isGiven(amount) && !isCurrency(currencyOf(amount)))
    return unreadable('The amount has a currency that is not of ISO 4217.')
  // One literal, what is absent included: objects that are put together field by field are slow from here to the WASM.
  const input: Readonly<Record<keyof DecisionInput, unknown>> = {
    provider: facts.provider,
    operation: facts.operation,
    group: facts.group,
    effect: facts.effect,
    action: facts.action,
    resource: facts.resource,
    method: facts.method,
    path: facts.path,
    params: facts.params,
    guarded: facts.guarded,
    amount: isGiven(amount) ? { ...amount, currency: currencyOf(amount) } : amount,
    customer: facts.customer ?? question.customer,
    agent: who.agent,
    project: who.project,
    organisation: who.organisation,
    run: who.run,
    turn: question.turn,
    occurrence: question.occurrence ?? 1,
    key: who.key,
    correlation_id: question.correlation_id,
    time: now.toISOString(),
    spend: question.spend ?? [],
  }
  if (!valid(input)) return invalid(valid)
  const checked = input as DecisionInput
  const spend = question.spend === undefined && key && operation && (await spendOf(rooms, key, operation, checked, now))
  return spend ? { ...checked, spend } : checked
}

const currencyOf = ({ currency }: Given): string => String(currency).toLowerCase()

/** What a question may have, by the schema's names. */
const FIELDS: Readonly<Record<keyof DecisionInput, true>> = {
  ...{ provider: true, operation: true, group: true, effect: true, action: true, resource: true, method: true },
  ...{ path: true, params: true, guarded: true, amount: true, customer: true, agent: true, project: true },
  ...{ organisation: true, run: true, turn: true, occurrence: true, key: true, correlation_id: true, time: true },
  spend: true,
}

/** Some of the fields, whatever their values: the schema has the last word. */
type Fields = Partial<Readonly<Record<keyof DecisionInput, unknown>>>

/** An operation that no catalogue lists: the question's word, and what it does not say is the strictest. */
function unlisted(question: Given): Fields {
  const { provider = '', operation = '', group = '*', effect = 'write', method = '', path = '' } = question
  const { action = `${provider}:${operation}`, resource = provider, params = {}, guarded = [] } = question
  return { provider, operation, group, effect, action, resource, method, path, params, guarded }
}

function operationOf({ catalogue }: Rooms, { provider, operation }: Given): Operation | undefined {
  if (typeof provider !== 'string' || typeof operation !== 'string') return undefined
  const found = catalogue.resolve(provider, operation)
  return isRefusal(found) ? undefined : found
}

/** The catalogue's facts of the operation; and, where the question has neither, what its params say of amount and customer. */
function factsOf({ catalogue }: Rooms, operation: Operation, question: Given): Fields {
  const { provider, name, group, effect, action, resource, method, path } = operation
  const { params = {} } = question
  // Of whatever params were asked about, valid or not: what the catalogue refuses must not be judged more mildly.
  const guarded = isGiven(params) ? catalogue.guarded(operation, params as Params) : []
  const asked = { provider, operation: name, group, effect, action, resource, method, path, params, guarded }
  if (question.amount !== undefined || question.customer !== undefined) return asked
  const checked = catalogue.validate(operation, params)
  if (isRefusal(checked)) return asked
  // What only the provider knows is not looked up: a question costs no call.
  const { amount, customer } = catalogue.nextLookup(operation, checked, {})
    ? {}
    : catalogue.facts(operation, checked, {})
  return { ...asked, params: checked, amount, customer }
}

function whoOf(key: Asker, question: Given): Fields {
  if (key === null) {
    const { organisation = 'default', project, agent = { id: '-' }, run, key: own = { id: 'operator' } } = question
    return { organisation, project, agent, run, key: own }
  }
  const { id, providers, operations, endpoints, limits, customers, organisation, project, agent, run } = key
  const own = { id, providers, operations, endpoints, limits, customers }
  return { organisation, project, agent, run: question.run ?? run, key: own }
}

/** The budgets that the call would draw on, as the counters have them now. */
async function spendOf(rooms: Rooms, key: VaultKey, operation: Operation, input: DecisionInput, now: Date) {
  if (rooms.settings.budgets.length + key.budgets.length === 0) return undefined
  const { amount, customer, run } = input
  const known: Known = { event_id: newEventId(), key, operation, ...defined({ run }) }
  const lines = linesOf(rooms.settings, known, defined({ amount, customer }), now)
  if (isRefusal(lines)) return undefined
  try {
    return await spendFacts(rooms.counters, key.organisation, lines)
  } catch (fault) {
    if (fault instanceof Fault && fault.code === 'counters_rehydrating') rooms.rehydrate(key.organisation)
    throw fault
  }
}

const FIX = 'Send the fields of schemas/decision-input.json; who acts is taken from the vault key.'

const unreadable = (detail: string): Refusal => refuse('malformed_request', detail, { fix: FIX })

function invalid({ errors }: ValidateFunction): Refusal {
  const { instancePath, message, params } = errors![0]!
  const field = instancePath.slice(1).replaceAll('/', '.') || params.additionalProperty
  return unreadable(field ? `The input's ${field}: ${message}.` : `The input: ${message}.`)
}

/**
 * How a question may name an operation: by name, by alias or by action. Where a list and a look-up share an action, it is
 * the look-up, because such a question is about one object.
 */
export function operationNames(catalogue: Catalogue) {
  const byAction = new Map<string, Operation[]>()
  for (const operation of catalogue.operations())
    byAction.set(operation.action, [...(byAction.get(operation.action) ?? []), operation])
  return {
    isProvider: (name: string): boolean => catalogue.provider(name) !== undefined,
    operation(provider: string, name: string): Operation | undefined {
      const acting = byAction.get(name)?.filter((operation) => operation.provider === provider)
      if (acting?.length === 1) return acting[0]
      if (acting) {
        const about = acting.filter(({ pathParams }) => pathParams.length > 0)
        return about.length === 1 ? about[0] : undefined
      }
      const found = catalogue.resolve(provider, name)
      return isRefusal(found) ? undefined : found
    },
  }
}

/** What no policy needs to be asked about. */
function objection(rooms: Rooms, key: Asker, question: unknown, input: DecisionInput): Decision | undefined {
  const denied = (code: string, message: string): Decision => ({
    decision: 'deny',
    reasons: [{ code, message, rule: 'countersign.judge' }],
    policy_revision: rooms.policy().revision,
    obligations: {},
  })
  const other = key && elsewhere(key, (question ?? {}) as Given)
  if (other) return denied('not_the_keys_own', `The vault key speaks for ${other}, and the question is about another.`)
  const { provider, operation } = input
  if (provider === '' || operation === '')
    return denied('nothing_asked', 'The question names no provider or no operation, so there is nothing to allow.')
  if (rooms.catalogue.provider(provider)) {
    const found = rooms.catalogue.resolve(provider, operation)
    if (isRefusal(found)) return denied(found.code, found.detail)
  }
  return undefined
}

/** Whom the key speaks for, where the question is about somebody else; a question that does not say is about the key's own. */
function elsewhere(key: VaultKey, { organisation, project, agent, run }: Given): string | undefined {
  const differs = (asked: unknown, own: string | undefined) => asked !== undefined && asked !== own
  const { id, role } = isGiven(agent) ? agent : { id: agent, role: undefined }
  if (differs(id, key.agent.id)) return `agent ${key.agent.id}`
  if (differs(role, key.agent.role)) return `agent ${key.agent.id} with ${key.agent.role ?? 'no'} role`
  if (differs(organisation, key.organisation)) return `organisation ${key.organisation}`
  if (differs(project, key.project)) return key.project ? `project ${key.project}` : 'no project'
  if (key.run !== undefined && differs(run, key.run)) return `run ${key.run}`
  return undefined
}

function decide(rooms: Rooms, input: DecisionInput): Decision {
  try {
    return rooms.policy().decide(input)
  } catch (cause) {
    throw cause instanceof Fault ? cause : new Fault('policy_unavailable', 'evaluation failed', cause)
  }
}

const ONLY = { decision_only: 'true' }

function decisionRow(
  rooms: Rooms,
  event_id: EventId,
  key: Asker,
  input: DecisionInput,
  decision: Decision,
): AuditEvent {
  const { provider, params, amount, customer, spend, run, turn, correlation_id, occurrence, organisation, project } =
    input
  const operation = operationOf(rooms, input as unknown as Given)
  const known: Known = defined({
    event_id,
    provider,
    asked: input.operation,
    operation,
    key: key ?? undefined,
    run,
    turn,
    correlation_id,
    occurrence,
    // What to redact is the catalogue's to say: params of an operation that it does not know are not kept.
    params: operation && redacted(rooms, operation, params, decision),
    facts: recordable(defined({ amount, customer })),
    spend,
    decision,
  })
  const tags = { ...decision.obligations.tags, ...ONLY, ...(key === null && { asked_by: 'operator' }) }
  const recorded = row('decision', known, { tags }, rooms.now())
  if (key && operation) return recorded
  // Neither key nor catalogue says it, so the question does.
  const { action, resource, agent } = input
  return { ...recorded, ...defined({ action, resource, organisation, project, agent: agent.id, role: agent.role }) }
}

const redacted = ({ catalogue }: Rooms, operation: Operation, params: JsonObject, { obligations }: Decision) =>
  catalogue.redact(operation, params, obligations.redact)

const refusalRow = (rooms: Rooms, event_id: EventId, key: Asker, refusal: Refusal): AuditEvent => ({
  ...denialRow({ event_id, ...(key && { key }) }, refusal, rooms.now()),
  tags: ONLY,
})
