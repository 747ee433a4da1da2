/**
 * A decision without a call, for whoever enforces it alone: nothing is reserved, nothing is sent, and nobody here sees to it
 * that the answer is kept to. Who asks is who the vault key says, whatever the question claims; the rest of the question
 * (amount, customer, spend) is the asker's word.
 */
import type { ValidateFunction } from 'ajv'
import { type Known, row } from './audit/index.ts'
import { authenticate } from './identity/index.ts'
import type { VaultKey } from './model/agent.ts'
import type { Decision, DecisionAudit, DecisionInput } from './model/decision.ts'
import { defined } from './model/defined.ts'
import { Fault } from './model/fault.ts'
import { type EventId, newEventId } from './model/id.ts'
import { isRefusal, type Refusal, refuse } from './model/refusal.ts'
import type { Rooms } from './rooms.ts'

/** Rows on their way to the store under `buffered`; beyond, a reply waits for its own. */
const BUFFERED_MAX = 10_000

export interface Judgement {
  /** Absent where nothing was written down. */
  readonly event_id?: EventId
  readonly decision: Decision
}

export type Judge = (credential: string | null, question: unknown) => Promise<Judgement | Refusal>

/** `valid` checks against `schemas/decision-input.json`. A refusal is not a decision, and leaves no row. */
export function judging(rooms: Rooms, audit: DecisionAudit, valid: ValidateFunction): Judge {
  let buffered = 0

  async function record(input: DecisionInput, key: VaultKey, decision: Decision): Promise<EventId> {
    const event_id = newEventId()
    const written = rooms.journal.append([decisionRow(rooms, event_id, input, key, decision)])
    if (audit === 'commit' || buffered >= BUFFERED_MAX) {
      await written
      return event_id
    }
    buffered += 1
    written
      .catch((fault) => rooms.onFault(event_id, fault))
      .finally(() => {
        buffered -= 1
      })
    return event_id
  }

  return async (credential, question) => {
    const now = rooms.now()
    const key = await authenticate(rooms.findKey, credential, null, now)
    if (isRefusal(key)) return key
    const input = inputOf(question, key, now)
    if (!valid(input)) return malformed(valid)
    const provider = (input as DecisionInput).provider
    if (key.providers && !key.providers.includes(provider))
      return refuse('wrong_provider', `The key ${key.id} is for ${key.providers.join(', ')}, not for ${provider}.`)
    if (key.run !== undefined && key.run !== (input as DecisionInput).run)
      return refuse('run_mismatch', `The key ${key.id} belongs to run ${key.run}.`)
    const decision = decide(rooms, input as DecisionInput)
    if (audit === 'off') return { decision }
    return { event_id: await record(input as DecisionInput, key, decision), decision }
  }
}

function inputOf(question: unknown, key: VaultKey, now: Date): unknown {
  if (typeof question !== 'object' || question === null) return question
  const { id, providers, operations, endpoints, limits, customers, organisation, agent } = key
  const input: Record<string, unknown> = { occurrence: 1, spend: [], ...question }
  input.run ??= key.run
  if (input.run === undefined) delete input.run
  if (key.project === undefined) delete input.project
  else input.project = key.project
  input.organisation = organisation
  input.agent = agent
  input.key = { id, ...defined({ providers, operations, endpoints, limits, customers }) }
  input.time = now.toISOString()
  return input
}

function malformed({ errors }: ValidateFunction): Refusal {
  const { instancePath, message, params } = errors![0]!
  const field = instancePath.slice(1).replaceAll('/', '.') || params.additionalProperty
  return refuse('malformed_request', field ? `The input's ${field}: ${message}.` : `The input: ${message}.`, {
    fix: 'Send {"input": {…}} with the fields of schemas/decision-input.json; who asks is taken from the vault key.',
  })
}

function decide(rooms: Rooms, input: DecisionInput): Decision {
  try {
    return rooms.policy().decide(input)
  } catch (cause) {
    throw cause instanceof Fault ? cause : new Fault('policy_unavailable', 'evaluation failed', cause)
  }
}

function decisionRow(rooms: Rooms, event_id: EventId, input: DecisionInput, key: VaultKey, decision: Decision) {
  const { provider, params, amount, customer, run, turn, correlation_id, occurrence } = input
  const operation = rooms.catalogue.resolve(provider, input.operation)
  const known: Known = {
    ...{ event_id, provider, asked: input.operation, key, occurrence, decision },
    ...defined({ run, turn, correlation_id }),
    facts: defined({ amount, customer }),
    // What to redact is the catalogue's to say: params of an operation that it does not know are not kept.
    ...(!isRefusal(operation) && { operation, params: rooms.catalogue.redact(operation, params) }),
  }
  const tags = { ...decision.obligations.tags, decision_only: 'true' }
  return row('decision', known, { tags }, rooms.now())
}
