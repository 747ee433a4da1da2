/** A compiled policy is tried on a few calls before any live call meets it, in a process that ends when the policy does not. */
import type { DecisionInput } from '../model/decision.ts'
import { faultIn } from './answer.ts'
import { askChild } from './child.ts'
import { ENTRY_POINT, inputText, MEMORY } from './instance.ts'
import type { ProjectData } from './project-data.ts'
import { type PolicyProblem, type PolicyRefusal, refusePolicy } from './refusal.ts'

/** An evaluation takes microseconds; what needs seconds would stop the gateway. */
const DEADLINE_MS = 10_000

const program = new URL('./toolchain/run-trial.mjs', import.meta.url)

const call: DecisionInput = {
  provider: 'stripe',
  operation: 'create_refund',
  group: 'payments.refund',
  effect: 'write',
  action: 'stripe:refunds:create',
  resource: 'stripe.com/v1/refunds',
  method: 'POST',
  path: '/v1/refunds',
  params: { charge: 'ch_trial', amount: 500, reason: 'requested_by_customer' },
  guarded: [],
  amount: { value: 500, currency: 'usd' },
  customer: 'cus_trial',
  agent: { id: 'trial', role: 'support-tier-1' },
  organisation: 'trial',
  run: 'trial',
  turn: 1,
  occurrence: 1,
  key: { id: 'vk_trial' },
  correlation_id: 'trial',
  time: '2026-01-01T12:00:00.000Z',
  spend: [{ budget: 'run trial', scope: 'run', window: 'run', cap: 5000, spent: 0, reserved: 500, currency: 'usd' }],
}

const { amount: _amount, customer: _customer, run: _run, turn: _turn, ...bare } = call

/** Calls that take different ways through a policy: a write, a read, one with little known, a narrowed key, a large sum. */
const CALLS: readonly DecisionInput[] = [
  call,
  {
    ...bare,
    operation: 'list_customers',
    group: 'read',
    effect: 'read',
    method: 'GET',
    path: '/v1/customers',
    params: {},
  },
  { ...bare, agent: { id: 'trial' }, operation: 'create_account', group: 'connect.onboard', params: {} },
  { ...call, key: { id: 'vk_trial', operations: ['read'], customers: [], limits: [{ param: 'amount', max: 1 }] } },
  { ...call, params: { charge: 'ch_trial', amount: 999_999_999 }, amount: { value: 999_999_999, currency: 'usd' } },
  { ...call, params: { amount: 500, transfer_data: { destination: 'acct_trial' } }, guarded: ['transfer_data'] },
  { ...call, occurrence: 2, agent: { id: 'trial', role: 'admin' } },
]

/** Null where every call of the trial got a decision. `projects`: to be tried as well. */
export async function tryPolicy(
  wasm: Buffer,
  data: Readonly<Record<string, unknown>>,
  projects: ReadonlyMap<string, ProjectData>,
): Promise<PolicyRefusal | null> {
  const calls = [...CALLS, ...[...projects.keys()].map((project) => ({ ...call, project }))]
  const outcome = await askChild<readonly Tried[]>(program, {
    message: {
      wasm,
      data: { ...data, projects: {} },
      inputs: calls.map((each) => JSON.parse(inputText(each, projects.get(each.project ?? '')))),
      entrypoint: ENTRY_POINT,
      memory: { ...MEMORY },
    },
    deadline_ms: DEADLINE_MS,
  })
  if (outcome === null)
    return refusePolicy({
      code: 'endless',
      message: `the policy did not decide ${calls.length} calls within ${DEADLINE_MS / 1000} s`,
      fix: 'Look for a rule that walks large ranges or every pair of something (numbers.range, nested `some`), and bound it.',
    })
  for (const [index, tried] of outcome.entries()) {
    const problem = 'fault' in tried ? thrown(tried.fault) : wrongShape(faultIn(tried.results))
    if (problem) {
      const { operation, agent } = calls[index]!
      return refusePolicy({
        ...problem,
        message: `tried on ${operation} by an agent with role ${agent.role ?? '(none)'}: ${problem.message}`,
      })
    }
  }
  return null
}

type Tried = { readonly results: unknown } | { readonly fault: string }

function thrown(fault: string): PolicyProblem {
  if (/opa_malloc|memory/i.test(fault))
    return {
      code: 'endless',
      message: `the policy used up the ${(MEMORY.maximum * 64) / 1024} MiB that it may have`,
      fix: 'Look for a rule that builds large sets or texts, and bound it.',
    }
  return {
    code: 'evaluation',
    message: `the evaluation broke: ${fault}`,
    fix: 'Rules of one name must not give two values for one call; a builtin must get what it takes.',
  }
}

const wrongShape = (fault: string | null): PolicyProblem | null =>
  fault === null
    ? null
    : { code: 'wrong_shape', message: fault, fix: 'schemas/decision.json shows what a decision is.' }
