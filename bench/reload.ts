/** What a reload of 20,000 projects costs the calls that go on meanwhile; and what a decision costs with many grants. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { POLICY_LIBRARY_DIR } from '../src/layout.ts'
import type { DecisionInput, Policy } from '../src/model/decision.ts'
import { isPolicyRefusal, type OpenPolicy, openPolicy } from '../src/policy/index.ts'
import { AGENT, allowMeasured, policyFolder, serveIn } from './gateway.ts'
import { median } from './rounds.ts'
import { freshFolder } from './scratch.ts'
import { ms, type Table, times, verdict } from './table.ts'

const PROJECTS = 20_000
const CLIENTS = 8
const BEFORE_MS = 5_000
const STALL_MAX = 2
const GRANTS = [1, 1_000, 100_000] as const
const GRANTS_RATIO_MAX = 1.3
const DECISIONS = 5_000
const FIRSTS = 25

const INPUT: DecisionInput = {
  ...{ provider: 'stripe', operation: 'create_refund', group: 'payments.refund', effect: 'write' },
  ...{ action: 'stripe:refunds:create', resource: 'stripe.com/v1/refunds', method: 'POST', path: '/v1/refunds' },
  params: { charge: 'ch_3PqXyz2eZvKYlo2C1a2b3c4d', amount: 500 },
  amount: { value: 500, currency: 'usd' },
  ...{ agent: AGENT, organisation: 'acme', project: 'p-7', occurrence: 1, guarded: [], key: { id: 'vk_1' }, spend: [] },
  time: '2026-01-01T00:00:00.000Z',
}

const projectFile = (name: string, grant_id: string): string =>
  `project: ${name}\nagents: [${AGENT.id}]\ngrants:\n  - service: stripe\n    actions: [create_refund]\n    grant_id: ${grant_id}\n`

export async function reload(): Promise<Table> {
  const folder = policyFolder()
  allowMeasured(folder)
  writeFileSync(join(folder, 'countersign.yaml'), '')
  mkdirSync(join(folder, 'policies'))
  const write = (project: number, grant_id: string) =>
    writeFileSync(join(folder, 'policies', `p-${project}.yaml`), projectFile(`p-${project}`, grant_id))
  for (let project = 0; project < PROJECTS; project += 1) write(project, 'g-0')
  const gateway = await serveIn(folder, {
    COUNTERSIGN_SANDBOX: '1',
    COUNTERSIGN_DATA_DIR: join(freshFolder('data'), 'd'),
  })
  try {
    const key = await gateway.vaultKey({ agent: AGENT, organisation: 'acme', project: 'p-7', providers: ['stripe'] })
    const revision = async (): Promise<string> =>
      ((await (await fetch(`${gateway.url}/readyz`)).json()) as { policy_revision: string }).policy_revision
    const ask = async (): Promise<number> => {
      const began = performance.now()
      const answer = await fetch(`${gateway.url}/v1/data/tool_decision`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ input: { ...INPUT, key: undefined } }),
      })
      if (!answer.ok) throw new Error(`a call was refused: ${await answer.text()}`)
      await answer.arrayBuffer()
      return performance.now() - began
    }
    /** What each call took while `work` went on. */
    const during = async (work: () => Promise<unknown>): Promise<readonly number[]> => {
      const took: number[] = []
      let over = false
      const clients = Array.from({ length: CLIENTS }, async () => {
        while (!over) took.push(await ask())
      })
      await work()
      over = true
      await Promise.all(clients)
      return took
    }
    const swapped = async (change: () => void): Promise<void> => {
      const old = await revision()
      change()
      while ((await revision()) === old) await pause(100)
    }
    await during(() => pause(2_000))
    const phases = [
      ['before', await during(() => pause(BEFORE_MS))],
      ['while one file changes', await during(() => swapped(() => write(7, 'g-1')))],
      [
        'while all files change',
        await during(() =>
          swapped(() => {
            for (let project = 0; project < PROJECTS; project += 1) write(project, 'g-2')
          }),
        ),
      ],
    ] as const
    const base = p99(phases[0][1])
    const worst = Math.max(p99(phases[1][1]), p99(phases[2][1])) / base
    return {
      title: `Calls while ${PROJECTS.toLocaleString('en')} project policies are reloaded`,
      about: `${CLIENTS} clients ask the embedded gateway for decisions, each committed; from the change of the files until the new revision is in force.`,
      columns: ['', 'calls', 'p50 ms', 'p99 ms', 'slowest ms'],
      rows: phases.map(([what, took]) => [
        what,
        String(took.length),
        ms(median([...took])),
        ms(p99(took)),
        ms(Math.max(...took)),
      ]),
      verdicts: [verdict('p99 during a reload', times(worst), `under ${STALL_MAX} × before`, worst < STALL_MAX)],
    }
  } finally {
    await gateway.stop()
  }
}

/** What the grants say about the resource, each kind with the first that covers the call. */
const KINDS = [
  ['on resources of their own', (at: number) => `[${at === 0 ? INPUT.resource : `stripe.com/v1/r${at}`}]`],
  ['on one and the same', () => `[${INPUT.resource}]`],
  ['on patterns of their own', (at: number) => `["${at === 0 ? 'stripe.com/v1/*' : `stripe.com/v1/r${at}/*`}"]`],
] as const

export async function grants(): Promise<Table> {
  const rows: string[][] = []
  const verdicts: string[] = []
  for (const [kind, resources] of KINDS) {
    const policies: OpenPolicy[] = []
    for (const count of GRANTS) policies.push(await granting(count, resources))
    const instances = policies.map((policy) => policy.instance())
    const [first, steady] = [policies.map((): number[] => []), policies.map((): number[] => [])]
    for (let at = 0; at < 2 * DECISIONS; at += 1)
      for (const [which, instance] of instances.entries()) {
        const took_us = decided(instance)
        if (at >= DECISIONS) steady[which]!.push(took_us)
      }
    for (let at = 0; at < FIRSTS; at += 1)
      for (const [which, policy] of policies.entries()) first[which]!.push(decided(policy.instance()))
    const [first_us, steady_us] = [first.map(median), steady.map(median)]
    rows.push(
      [kind, ...steady_us.map((us) => us.toFixed(1))],
      [`${kind}, the first of an instance`, ...first_us.map((us) => us.toFixed(1))],
    )
    for (const [what, us] of [
      [`Grants ${kind}`, steady_us],
      [`Grants ${kind}, the first decision`, first_us],
    ] as const) {
      const ratio = Math.max(...us) / Math.min(...us)
      verdicts.push(verdict(what, times(ratio), `under ${GRANTS_RATIO_MAX} ×`, ratio < GRANTS_RATIO_MAX))
    }
  }
  return {
    title: 'A decision with many grants in its project',
    about:
      `In process, medians of one decision in µs, the three taking turns; one project whose policy has so many grants. After ${DECISIONS.toLocaleString('en')} decisions of each, ` +
      `for V8 to optimise on; and the first decision of ${FIRSTS} fresh instances, as after a reload.`,
    columns: ['grants', ...GRANTS.map((count) => count.toLocaleString('en'))],
    rows,
    verdicts,
  }
}

async function granting(count: number, resources: (at: number) => string): Promise<OpenPolicy> {
  const lines = Array.from(
    { length: count },
    (_, at) =>
      `  - service: stripe\n    actions: [create_refund]\n    resources: ${resources(at)}\n    grant_id: g-${at}\n`,
  )
  const folder = policyFolder()
  mkdirSync(join(folder, 'policies'))
  writeFileSync(join(folder, 'policies/p.yaml'), `project: p-7\nagents: [${AGENT.id}]\ngrants:\n${lines.join('')}`)
  const opened = await openPolicy({
    policyDir: join(folder, 'rego'),
    projectsDir: join(folder, 'policies'),
    libraryDir: POLICY_LIBRARY_DIR,
  })
  if (isPolicyRefusal(opened)) throw new Error(opened.problems[0]!.message)
  return opened
}

/** In µs. */
function decided(policy: Policy): number {
  const began = performance.now()
  const { decision } = policy.decide(INPUT)
  const took = performance.now() - began
  if (decision !== 'allow') throw new Error('the grant does not allow')
  return took * 1_000
}

const p99 = (took: readonly number[]): number => [...took].sort((a, b) => a - b)[Math.floor(took.length * 0.99)]!
const pause = (for_ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, for_ms))
