/**
 * What many rules cost: OPA looks up which rules can apply to a call, and compiled to WASM each of them is tried. Measured
 * in process, without a server around either; `decisions.ts` has five hundred rules over HTTP.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { POLICY_LIBRARY_DIR } from '../src/layout.ts'
import type { DecisionInput } from '../src/model/decision.ts'
import { isPolicyRefusal, openPolicy } from '../src/policy/index.ts'
import { AGENT, allowMeasured, policyFolder } from './gateway.ts'
import { freshFolder } from './scratch.ts'
import { type Table, times, verdict } from './table.ts'

export const OPA = fileURLToPath(new URL('../.cache/bin/opa', import.meta.url))
const STRIPE = new URL('../schemas/providers/stripe.json', import.meta.url)

/** What the issue of many rules is measured on. */
export const MANY_RULES = 500
const COUNTS = [1, MANY_RULES, 2_000, 5_000] as const
const DECISIONS = 10_000
const RATIO_MIN = 1

/** Beside the rule that allows what is measured: allow rules by operation and role with a cap, deny rules by operation and customer. */
export function rules(count: number): string {
  const { operations } = JSON.parse(readFileSync(STRIPE, 'utf8')) as { operations: { name: string; method: string }[] }
  const writes = operations.filter(({ method }) => method !== 'GET').map(({ name }) => name)
  const rule = (at: number): string => {
    const operation = `input.operation == "${writes[at % writes.length]}"`
    return at % 5 === 4
      ? `deny contains "customer ${at} is frozen" if {\n\t${operation}\n\tinput.customer == "cus_${at}"\n}\n`
      : `allow if {\n\t${operation}\n\tinput.agent.role == "role-${at % 7}"\n\tinput.amount.value <= ${at * 100}\n}\n`
  }
  return Array.from({ length: count }, (_, at) => `\n${rule(at)}`).join('')
}

const INPUT: DecisionInput = {
  ...{ provider: 'stripe', operation: 'create_refund', group: 'payments.refund', effect: 'write' },
  ...{ action: 'stripe:refunds:create', resource: 'stripe.com/v1/refunds', method: 'POST', path: '/v1/refunds' },
  params: { charge: 'ch_3PqXyz2eZvKYlo2C1a2b3c4d', amount: 500 },
  amount: { value: 500, currency: 'usd' },
  customer: 'cus_QhZ1a2b3c4d5e6',
  ...{ agent: AGENT, organisation: 'acme', occurrence: 1, guarded: [], key: { id: 'vk_1' }, spend: [] },
  time: '2026-01-01T00:00:00.000Z',
}

export async function manyRules(): Promise<Table> {
  const measured: { count: number; ours_us: number; opa_us: number }[] = []
  for (const count of COUNTS) {
    const folder = policyFolder()
    allowMeasured(folder, rules(count - 1))
    measured.push({ count, ours_us: await ours(join(folder, 'rego')), opa_us: opas(join(folder, 'rego')) })
  }
  const ratio = ({ ours_us, opa_us }: (typeof measured)[number]) => opa_us / ours_us
  const many = ratio(measured.find(({ count }) => count === MANY_RULES)!)
  const lost = measured.find((each) => ratio(each) < 1)
  return {
    title: 'A decision by the number of rules',
    about:
      `In process, mean of one decision in µs, after ${DECISIONS.toLocaleString('en')} for V8 to optimise on; the same rules and the same call. ` +
      'OPA indexes what rules compare, and its evaluator ' +
      `(\`opa bench\`) tries few of them; compiled to WASM, each is tried. ${lost ? `So WASM loses from some rules on, here at ${lost.count.toLocaleString('en')}.` : ''}`,
    columns: ['rules', ...COUNTS.map((count) => count.toLocaleString('en'))],
    rows: [
      ['Countersign, WASM', ...measured.map(({ ours_us }) => ours_us.toFixed(1))],
      ["OPA's evaluator", ...measured.map(({ opa_us }) => opa_us.toFixed(1))],
      ['times as fast', ...measured.map((each) => times(ratio(each)))],
    ],
    verdicts: [verdict(`${MANY_RULES} rules`, `${times(many)} OPA`, `${RATIO_MIN} ×`, many >= RATIO_MIN)],
  }
}

async function ours(policyDir: string): Promise<number> {
  const opened = await openPolicy({ policyDir, libraryDir: POLICY_LIBRARY_DIR })
  if (isPolicyRefusal(opened)) throw new Error(opened.problems[0]!.message)
  const policy = opened.instance()
  const decide = (times: number) => {
    for (let at = 0; at < times; at += 1)
      if (policy.decide(INPUT).decision !== 'allow') throw new Error('the rule does not allow')
  }
  decide(DECISIONS)
  const began = performance.now()
  decide(DECISIONS)
  return ((performance.now() - began) / DECISIONS) * 1_000
}

/** `opa bench` reads a call from a file; it says how many it asked, and in how many ns. */
function opas(bundle: string): number {
  const input = join(freshFolder('input'), 'input.json')
  writeFileSync(input, JSON.stringify(INPUT))
  const asked = ['bench', '-b', bundle, '-i', input, '--format', 'json', '--count', '1', 'data.countersign.decision']
  const { N, T } = JSON.parse(execFileSync(OPA, asked, { encoding: 'utf8' })) as { N: number; T: number }
  return T / N / 1_000
}
