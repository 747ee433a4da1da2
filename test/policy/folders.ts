/** Policy folders on the disk, as an operator has them. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import type { DecisionInput } from '../../src/model/decision.ts'
import {
  createPolicyStore,
  evaluateRego,
  explainPolicyRefusal,
  lostProjects,
  type PolicyFolders,
  type PolicyRefusal,
  type PolicyStoreOptions,
  readPolicy,
} from '../../src/policy/index.ts'

export const REGO_DIR = fileURLToPath(new URL('../../rego/', import.meta.url))
export const LIBRARY_DIR = join(REGO_DIR, 'countersign')
export const SCHEMAS = new URL('../../schemas/', import.meta.url)

const made: string[] = []
afterAll(() => Promise.all(made.map((root) => rm(root, { recursive: true, force: true }))))

/** Files by path: `rego/…` is the operator's policy, `policies/…` the project policies. Gone when the tests are over. */
export async function folders(files: Readonly<Record<string, string>>) {
  const root = await mkdtemp(join(tmpdir(), 'countersign-policy-'))
  made.push(root)
  const write = async (path: string, content: string) => {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), content)
  }
  for (const [path, content] of Object.entries(files)) await write(path, content)
  return {
    root,
    write,
    remove: (path: string) => rm(join(root, path), { recursive: true }),
    policyDir: join(root, 'rego'),
    projectsDir: join(root, 'policies'),
    cacheDir: join(root, 'cache'),
    libraryDir: LIBRARY_DIR,
    log: { warn: () => {} },
  }
}

/** A refund of 5.00 USD by first-line support. */
export const refund: DecisionInput = {
  provider: 'stripe',
  operation: 'create_refund',
  group: 'payments.refund',
  effect: 'write',
  action: 'stripe:refunds:create',
  resource: 'stripe.com/v1/refunds',
  method: 'POST',
  path: '/v1/refunds',
  params: { charge: 'ch_1', amount: 500 },
  guarded: [],
  amount: { value: 500, currency: 'usd' },
  customer: 'cus_1',
  agent: { id: 'billing-1', role: 'support-tier-1' },
  organisation: 'acme',
  occurrence: 1,
  key: { id: 'vk_1' },
  time: '2026-11-21T09:00:00.000Z',
  spend: [],
}

/** The rule of the design that opts refunds in, as written. */
export const REFUND_RULE = `package tool_decision

allow {
  input.provider == "stripe"
  input.operation == "create_refund"
  input.agent.role == "support-tier-1"
  input.params.amount <= 5000
}
`

export type Reloaded = { readonly changed: boolean; readonly revision: string } | PolicyRefusal

/** A store that takes what its folders hold, now and at each `reload`: a gateway without a history. */
export async function storeOf(options: PolicyStoreOptions) {
  const store = createPolicyStore(options)
  async function reload(): Promise<Reloaded> {
    const found = await store.readFolders()
    if ('refused' in found) return found
    const lost = lostProjects(found, store.inForce())
    if (lost) return lost
    const prepared = await store.prepare(found)
    const candidate = 'refused' in prepared ? prepared : await store.tried(prepared)
    if ('refused' in candidate) return candidate
    const changed = candidate.revision !== store.inForce()?.revision
    if (changed) await store.swap(candidate)
    return { changed, revision: candidate.revision }
  }
  const first = await reload()
  if ('refused' in first) throw new Error(explainPolicyRefusal(first))
  return { ...store, reload }
}

/** OPA has a minute for what it is asked at once, also on a machine that does much else. */
const ASKED_AT_ONCE = 1_000

/** What OPA's own evaluator, which has the project policies as a whole, decides on each call. */
export async function opaDecisions(at: PolicyFolders, calls: readonly DecisionInput[]): Promise<readonly unknown[]> {
  const policy = await readPolicy(at)
  if ('refused' in policy) throw new Error(explainPolicyRefusal(policy))
  const values: unknown[] = []
  for (let from = 0; from < calls.length; from += ASKED_AT_ONCE) {
    const some = calls.slice(from, from + ASKED_AT_ONCE)
    const answer = await evaluateRego(policy.modules, policy.data, 'data.countersign.decision', some)
    if (!answer.ok) throw new Error(JSON.stringify(answer.errors))
    values.push(...answer.value.map(({ value }) => value))
  }
  return values
}
