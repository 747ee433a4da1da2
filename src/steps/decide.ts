/** The decision, as a question to policy and an answer to the caller. */
import type { Known } from '../audit/index.ts'
import type { Decision, Policy, SpendFact } from '../model/decision.ts'
import { defined } from '../model/defined.ts'
import { Fault } from '../model/fault.ts'
import type { Facts, Operation, Params } from '../model/operation.ts'
import { type Refusal, refuse } from '../model/refusal.ts'

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
    return policy.decide(
      defined({
        provider,
        operation: name,
        group,
        effect,
        action,
        resource,
        method,
        path,
        params,
        guarded,
        amount: facts.amount,
        customer: facts.customer,
        agent,
        project,
        organisation,
        run,
        turn,
        occurrence,
        key: defined({ id, providers, operations, endpoints, limits, customers }),
        correlation_id,
        time: time.toISOString(),
        spend,
      }),
    )
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
