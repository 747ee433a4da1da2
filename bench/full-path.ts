/** The full path of a call on Redis and PostgreSQL, next to what the machine can do at best. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type PostgresService, startPostgres } from '../test/services/postgres.ts'
import { freePort } from '../test/services/process.ts'
import { startRedis } from '../test/services/redis.ts'
import { AGENT, startMeasuredGateway } from './gateway.ts'
import { fixedUpstream, reverseProxy } from './nginx.ts'
import { type Server, start } from './program.ts'
import { type Effort, takeTurns } from './rounds.ts'
import { scratchFolder } from './scratch.ts'
import { ms, rate, type Table, times, verdict } from './table.ts'
import { type Figures, load } from './wrk.ts'

const CLIENTS = [1, 8, 32, 64] as const
/** Both Node servers first run so long under load, for V8 to optimise on; a quick round less. */
const WARM_ROUNDS = 3
const WARM_CLIENTS = 32

/** No two alike, so that none is a repeat: each has a call id and params of its own. */
const CALL = JSON.stringify({
  params: { amount: 500, currency: 'usd', source: 'tok_visa', metadata: { order: '@@' } },
  call_id: 'call_@@',
})
const DIRECT = 'amount=500&currency=usd&source=tok_visa&metadata[order]=@@'

const VAULT_KEY = {
  ...{ agent: AGENT, organisation: 'acme', project: 'billing', run: 'conv-42', providers: ['stripe'] },
  daily_cap_usd: 1_000_000_000,
}

export async function fullPath(effort: Effort): Promise<Table> {
  const stops: (() => Promise<void>)[] = []
  const running = <Service extends object>(service: Service, stop: () => Promise<void>): Service => {
    stops.push(stop)
    return service
  }
  try {
    const postgres = await startPostgres().then((service) => running(service, service.remove))
    const redis = await startRedis({ appendonly: true }).then((service) => running(service, service.remove))
    const upstream = await fixedUpstream().then((server) => running(server, server.stop))
    const proxy = await reverseProxy(upstream.url).then((server) => running(server, server.stop))
    const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, STRIPE_UPSTREAM_URL: upstream.url }
    const gateway = await startMeasuredGateway({ env: { ...env, STRIPE_API_KEY: 'sk_test_x' } }).then((server) =>
      running(server, server.stop),
    )
    const bearer = await gateway.vaultKey(VAULT_KEY)
    const inserts = await pgbenchOf(postgres)
    const bare = await barePath(env).then((server) => running(server, server.stop))

    const json = 'application/json'
    const form = 'application/x-www-form-urlencoded'
    const call = {
      url: `${gateway.url}/v1/providers/stripe/operations/create_charge`,
      body: CALL,
      content_type: json,
      bearer,
    }
    const direct = { url: `${upstream.url}/v1/charges`, body: DIRECT, content_type: form }
    const proxied = { ...direct, url: `${proxy.url}/v1/charges` }
    const barely = { url: bare.url, body: CALL, content_type: json }
    for (const each of [call, barely]) await load(each, WARM_CLIENTS, WARM_ROUNDS * effort.seconds)

    const rows: string[][] = []
    const shares: number[] = []
    const bareShares: number[] = []
    let added_ms = 0
    for (const clients of CLIENTS) {
      const told = await takeTurns(
        {
          ours: { measure: (seconds) => load(call, clients, seconds), cpu_s: gateway.cpu_s },
          bare: { measure: (seconds) => load(barely, clients, seconds), cpu_s: bare.cpu_s },
          pgbench: { measure: (seconds) => inserts(clients, seconds) },
          proxy: { measure: (seconds) => load(proxied, clients, seconds) },
          direct: { measure: (seconds) => load(direct, clients, seconds) },
        },
        effort,
      )
      const { ours, pgbench } = told
      const { p50_ms, p99_ms } = told.direct
      shares.push(ours.per_second / pgbench.per_second)
      bareShares.push(told.bare.per_second / pgbench.per_second)
      if (clients === 1) added_ms = ours.p50_ms - p50_ms
      rows.push([
        String(clients),
        rate(ours.per_second),
        rate(pgbench.per_second),
        times(ours.per_second / pgbench.per_second),
        rate(told.bare.per_second),
        times(told.bare.per_second / pgbench.per_second),
        rate(told.proxy.per_second),
        ms(ours.p50_ms - p50_ms),
        ms(ours.p99_ms - p99_ms),
        ms(told.bare.p50_ms - p50_ms),
        ms(told.proxy.p50_ms - p50_ms),
        ms(pgbench.p50_ms),
        ours.cpu_ms!.toFixed(2),
        told.bare.cpu_ms!.toFixed(2),
      ])
    }
    const worst = Math.min(...shares)
    const best = Math.max(...bareShares)
    return {
      title: 'Calls per second of the full path',
      about:
        'A `create_charge` by name, allowed by a rule: key, catalogue, twins, policy, one daily budget, reservation in Redis, intent ' +
        'committed, forwarded, outcome committed, settled, answered. Every call has a call id and params of its own. ' +
        'One gateway process on PostgreSQL (fsync on, its defaults) and Redis (append-only file, synced each second). ' +
        'The upstream is an nginx that always gives the same charge, so that the gateway is measured and not the sandbox; no TLS. ' +
        'pgbench commits two single-row inserts a call, in two transactions, on the same server with as many clients. ' +
        'Bare Node is a Node server of the same hops and nothing else: a request in, Redis, one of those inserts, the request out, ' +
        'the other insert, the answer; inserts that wait together are one statement. It shows what a gateway that judged, claimed, ' +
        'encrypted and recorded nothing would come to. ' +
        'nginx as a plain reverse proxy shows what forwarding alone costs. Added times are over a direct call to the same upstream.',
      columns: [
        'clients',
        'calls/s',
        'pgbench/s',
        'share',
        'bare Node/s',
        'its share',
        'nginx proxy/s',
        'added p50 ms',
        'added p99 ms',
        'bare added p50 ms',
        'nginx added p50 ms',
        'pgbench mean ms',
        'CPU ms a call',
        'bare CPU ms',
      ],
      rows,
      verdicts: [
        verdict('Least share of what pgbench commits', times(worst), '0.5 ×', worst >= 0.5),
        `Largest share that bare Node comes to: **${times(best)}**`,
        verdict('Added p50 at one client', `${ms(added_ms)} ms`, 'under 3 ms', added_ms < 3),
      ],
    }
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

const TABLE = 'create table bench (id bigserial primary key, at timestamptz not null default now(), body text not null)'
const BODY = 'x'.repeat(200)
const INSERT = `insert into bench (body) values ('${BODY}')`

async function barePath(env: NodeJS.ProcessEnv): Promise<Server> {
  const port = await freePort()
  return start({
    program: process.execPath,
    args: [fileURLToPath(new URL('bare-path.mjs', import.meta.url))],
    url: `http://127.0.0.1:${port}`,
    ready: '/',
    env: { ...env, PORT: String(port), BODY },
  })
}

/** pgbench tells the mean of a call, not its median. */
async function pgbenchOf(postgres: PostgresService): Promise<(clients: number, seconds: number) => Promise<Figures>> {
  const run = promisify(execFile)
  const script = join(scratchFolder(), 'two-inserts.sql')
  writeFileSync(script, `${INSERT};\n${INSERT};\n`)
  const tool = (name: string) => join(postgres.binFolder, name)
  await run(tool('psql'), ['-q', '-c', TABLE, postgres.url])
  return async (clients, seconds) => {
    const threads = Math.min(clients, 2)
    const flags = [
      '-n',
      '-M',
      'prepared',
      '-f',
      script,
      '-c',
      String(clients),
      '-j',
      String(threads),
      '-T',
      String(seconds),
    ]
    const { stdout } = await run(tool('pgbench'), [...flags, postgres.url])
    const figure = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1])
    const mean = figure(/latency average = ([\d.]+) ms/)
    return { per_second: figure(/tps = ([\d.]+)/), p50_ms: mean, p99_ms: mean }
  }
}
