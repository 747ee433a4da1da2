/** Decisions per second over HTTP, next to OPA's own server with the same policy and the same question. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { administer } from '../test/services/database.ts'
import { startPostgres } from '../test/services/postgres.ts'
import { freePort } from '../test/services/process.ts'
import { AGENT, allowMeasured, type MeasuredGateway, policyFolder, startMeasuredGateway } from './gateway.ts'
import { type Server, start } from './program.ts'
import { type Effort, takeTurns } from './rounds.ts'
import { MANY_RULES, OPA, rules } from './rules.ts'
import { ms, rate, type Table, times, verdict } from './table.ts'
import { type Figures, load } from './wrk.ts'

/** A server that waits for its disk before each reply needs many; both are shown, and the lesser ratio counts. */
const CLIENTS = [32, 128] as const

/** A whole question, so that OPA needs nothing that the gateway adds. */
const INPUT = {
  ...{ provider: 'stripe', operation: 'create_refund', group: 'payments.refund', effect: 'write' },
  ...{ action: 'stripe:refunds:create', resource: 'stripe.com/v1/refunds', method: 'POST', path: '/v1/refunds' },
  params: { charge: 'ch_3PqXyz2eZvKYlo2C1a2b3c4d', amount: 500, reason: 'requested_by_customer' },
  amount: { value: 500, currency: 'usd' },
  customer: 'cus_QhZ1a2b3c4d5e6',
  ...{ agent: AGENT, organisation: 'acme', run: 'conv-42', turn: 7, occurrence: 1 },
  key: { id: 'vk_0123456789abcdefghij', providers: ['stripe'], operations: ['read', 'payments.refund'] },
  time: '2026-01-01T00:00:00.000Z',
  spend: [],
}
const QUESTION = JSON.stringify({ input: INPUT })
const VAULT_KEY = { agent: AGENT, organisation: 'acme', providers: ['stripe'], operations: ['read', 'payments.refund'] }

async function startOpa(flags: readonly string[], more?: string): Promise<Server> {
  const folder = policyFolder()
  allowMeasured(folder, more)
  const address = `127.0.0.1:${await freePort()}`
  const args = ['run', '--server', '--addr', address, '--v0-compatible', '--log-level', 'error', ...flags]
  return start({ program: OPA, args: [...args, join(folder, 'rego')], url: `http://${address}`, ready: '/health' })
}

export async function decisions(effort: Effort): Promise<Table> {
  const postgres = await startPostgres()
  const servers: Server[] = []
  try {
    const ours = async (decision_audit: string, processes = 1, more = '') => {
      const database = `${decision_audit}_${processes}_${more.length}`
      await administer(postgres.url, `create database ${database}`)
      const env = {
        DATABASE_URL: postgres.url.replace(/postgres$/, database),
        STRIPE_API_KEY: 'sk_test_x',
        COUNTERSIGN_MASTER_KEY: randomBytes(32).toString('base64'),
      }
      const gateways: MeasuredGateway[] = []
      for (let started = 0; started < processes; started += 1) {
        gateways.push(await startMeasuredGateway({ env, config: `decision_audit: ${decision_audit}\n`, rules: more }))
        servers.push(gateways[started]!)
      }
      return contestant(gateways, '/v1/data/tool_decision', await gateways[0]!.vaultKey(VAULT_KEY))
    }
    const opa = async (flags: readonly string[] = [], more = '') => {
      const server = await startOpa(flags, more)
      servers.push(server)
      return contestant([server], '/v1/data/countersign/decision')
    }
    const many = rules(MANY_RULES - 1)
    const contestants = {
      off: await ours('off'),
      two: await ours('off', 2),
      opa: await opa(),
      commit: await ours('commit'),
      committing: await ours('commit', 2),
      buffered: await ours('buffered'),
      console: await opa(['--set', 'decision_logs.console=true']),
      off_many: await ours('off', 1, many),
      two_many: await ours('off', 2, many),
      opa_many: await opa([], many),
    }
    const said = await Promise.all(Object.values(contestants).map(({ decide }) => decide()))
    if (new Set(said).size !== 1) throw new Error(`the servers do not decide alike: ${said.join(' / ')}`)
    const rows: string[][] = []
    const ratios = {
      alone: [] as number[],
      silent: [] as number[],
      alone_logged: [] as number[],
      logged: [] as number[],
      alone_many: [] as number[],
      many: [] as number[],
    }
    for (const clients of CLIENTS) {
      const told = await takeTurns(among(contestants, clients), effort)
      const against = (by: keyof typeof told, peer: keyof typeof told) => told[by].per_second / told[peer].per_second
      const row = (what: string, by: keyof typeof told, peer?: keyof typeof told) => [
        what,
        String(clients),
        rate(told[by].per_second),
        ms(told[by].p50_ms),
        ms(told[by].p99_ms),
        told[by].cpu_ms!.toFixed(3),
        peer ? times(against(by, peer)) : '',
      ]
      rows.push(
        row('Countersign, two gateways, `decision_audit: off`', 'two', 'opa'),
        row('Countersign, `decision_audit: off`', 'off', 'opa'),
        row('`opa run --server`', 'opa'),
        row('Countersign, two gateways, `decision_audit: commit`', 'committing', 'console'),
        row('Countersign, `decision_audit: commit`', 'commit', 'console'),
        row('Countersign, `decision_audit: buffered`', 'buffered', 'console'),
        row('`opa run --server`, console decision log', 'console'),
        row(`${MANY_RULES} rules: Countersign, two gateways, \`decision_audit: off\``, 'two_many', 'opa_many'),
        row(`${MANY_RULES} rules: Countersign, \`decision_audit: off\``, 'off_many', 'opa_many'),
        row(`${MANY_RULES} rules: \`opa run --server\``, 'opa_many'),
      )
      ratios.silent.push(against('two', 'opa'))
      ratios.alone.push(against('off', 'opa'))
      ratios.logged.push(against('committing', 'console'))
      ratios.alone_logged.push(against('commit', 'console'))
      ratios.many.push(against('two_many', 'opa_many'))
      ratios.alone_many.push(against('off_many', 'opa_many'))
    }
    const least = (what: string, of: readonly number[], aim: number) =>
      verdict(what, `${times(Math.min(...of))} OPA`, `${aim} ×`, Math.min(...of) >= aim)
    return {
      title: 'Decisions per second over HTTP',
      about:
        `One question about a refund, allowed by a rule, asked by ${CLIENTS.join(' and by ')} clients (wrk, one thread) of one server at a time. ` +
        'The same Rego files and the same input everywhere, and the same answer: that is checked first. ' +
        'A gateway is one Node process on one core, so two of them face OPA, one Go process that may use every core; ' +
        'one alone is shown as well. The gateway checks a vault key with each question, OPA checks none. Everything shares the same cores, the load and PostgreSQL included. With `commit`, ' +
        'each decision is a committed audit row before its reply (fsync on); OPA writes its decision log to a file without waiting for it. ' +
        `A policy has one rule of its own, or ${MANY_RULES}: allow rules by operation and role with a cap, deny rules by operation and customer.`,
      columns: ['', 'clients', 'decisions/s', 'p50 ms', 'p99 ms', 'CPU ms each', 'against OPA'],
      rows,
      verdicts: [
        least('Without a record, two gateways, the lesser', ratios.silent, 1.5),
        least('Without a record, one gateway, the lesser', ratios.alone, 1.5),
        least('With a record, two gateways, the lesser', ratios.logged, 1),
        least('With a record, one gateway, the lesser', ratios.alone_logged, 1),
        least(`${MANY_RULES} rules without a record, two gateways, the lesser`, ratios.many, 1),
        least(`${MANY_RULES} rules without a record, one gateway, the lesser`, ratios.alone_many, 1),
      ],
    }
  } finally {
    for (const server of servers) await server.stop()
    await postgres.remove()
  }
}

const among = <Name extends string>(
  contestants: Readonly<Record<Name, ReturnType<typeof contestant>>>,
  clients: number,
) =>
  Object.fromEntries(
    Object.entries<ReturnType<typeof contestant>>(contestants).map(([name, { measure, cpu_s }]) => [
      name,
      { measure: (seconds: number) => measure(clients, seconds), cpu_s },
    ]),
  ) as Record<Name, { measure: (seconds: number) => Promise<Figures>; cpu_s: () => number }>

/** The clients are spread over the servers evenly. */
const contestant = (servers: readonly Server[], path: string, bearer?: string) => {
  const questions = servers.map(({ url }) => ({
    ...{ url: `${url}${path}`, body: QUESTION, content_type: 'application/json' },
    ...(bearer && { bearer }),
  }))
  return {
    measure: async (all: number, seconds: number): Promise<Figures> => {
      const clients = all / questions.length
      const figures = await Promise.all(questions.map((question) => load(question, clients, seconds)))
      const worst = (of: 'p50_ms' | 'p99_ms') => Math.max(...figures.map((each) => each[of]))
      const per_second = figures.reduce((sum, each) => sum + each.per_second, 0)
      return { per_second, p50_ms: worst('p50_ms'), p99_ms: worst('p99_ms') }
    },
    cpu_s: () => servers.reduce((sum, server) => sum + server.cpu_s(), 0),
    decide: async () => {
      const headers = { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) }
      const answer = await fetch(questions[0]!.url, { method: 'POST', headers, body: QUESTION })
      const { result } = (await answer.json()) as { result?: { decision: string; reasons: unknown } }
      return JSON.stringify([result?.decision, result?.reasons])
    },
  }
}
