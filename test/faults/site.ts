/**
 * Where gateways run in these tests: one database, one store of counters, one provider that outlives every kill, one
 * policy, one budget. Gateways start here (in this process) or as processes that can be killed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { inject } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { type Gateway, type GatewayOptions, startGateway } from '../../src/main.ts'
import type { Counters } from '../../src/model/counters.ts'
import type { Journal } from '../../src/model/journal.ts'
import { type RunningSandbox, startSandbox } from '../../src/sandbox/index.ts'
import { freshDatabase } from '../services/database.ts'
import { sharePolicyCache } from '../services/policy-cache.ts'
import { until } from './until.ts'

export const ENGINES = ['PGlite and memory', 'PostgreSQL and Redis'] as const
export type Engine = (typeof ENGINES)[number]

export interface SiteOptions {
  readonly engine: Engine
  /** Minor units of USD for the whole organisation, for ever. */
  readonly cap: number
  /** Of the site's own; by default those of the run. */
  readonly database_url?: string
  readonly redis_url?: string
  /** More of countersign.yaml. */
  readonly yaml?: string
}

/** The parts of a gateway in this process, for looking at them from outside the call. */
export interface Here extends Gateway {
  readonly journal: Journal
  readonly counters: Counters
}

export interface Process {
  readonly agent_url: string
  /** Resolves when a call of this run stands still. */
  standing(run: string): Promise<unknown>
  readonly draining: () => boolean
  signal(name: NodeJS.Signals): void
  /** The exit code; null after a kill. */
  readonly ended: Promise<number | null>
  /** What it wrote to its log. */
  readonly log: () => string
}

export interface Site {
  readonly engine: Engine
  readonly cap: number
  readonly organisation: string
  readonly data_dir: string
  readonly database_url: string | undefined
  readonly redis_url: string | undefined
  readonly sandbox: RunningSandbox
  startHere(around?: GatewayOptions['around']): Promise<Here>
  startProcess(): Promise<Process>
  vaultKey(gateway: Gateway, more?: object): Promise<string>
  /** Ends what the site started and is still there. */
  remove(): Promise<void>
}

const ADMIN_TOKEN = 'csadm_of_the_fault_tests'

/** Quick, so that what a dead gateway left is taken over while a test waits. */
const RECOVERY = 'recovery: { every: 200ms, gateway_silent: 1500ms, reservation_unclaimed: 2500ms }'

const POLICY = `package tool_decision

import future.keywords

allow if input.provider == "stripe"
`

export async function openSite(options: SiteOptions): Promise<Site> {
  const { engine, cap, yaml = '' } = options
  const folder = mkdtempSync(join(tmpdir(), 'countersign-faults-'))
  const data_dir = join(folder, 'data')
  sharePolicyCache(data_dir)
  mkdirSync(join(folder, 'rego'))
  writeFileSync(join(folder, 'rego', 'tool_decision.rego'), POLICY)
  const budget = `budgets: [{ scope: organisation, window: lifetime, cap: ${cap}, currency: usd }]`
  writeFileSync(join(folder, 'countersign.yaml'), [budget, RECOVERY, yaml].join('\n'))
  const sandbox = await startSandbox({ port: 0 })
  const distributed = engine === 'PostgreSQL and Redis'
  const database =
    distributed && options.database_url === undefined
      ? await freshDatabase(inject('postgresUrl'), inject('postgresTemplate'))
      : undefined
  const database_url = options.database_url ?? database?.url
  const redis_url = distributed ? (options.redis_url ?? inject('redisUrl')) : undefined
  const env = {
    COUNTERSIGN_PORT: '0',
    COUNTERSIGN_ADMIN_PORT: '0',
    COUNTERSIGN_ADMIN_TOKEN: ADMIN_TOKEN,
    COUNTERSIGN_MASTER_KEY: randomBytes(32).toString('base64'),
    COUNTERSIGN_DATA_DIR: data_dir,
    COUNTERSIGN_LOG_LEVEL: 'warn',
    STRIPE_API_KEY: 'sk_test_sandbox',
    STRIPE_UPSTREAM_URL: sandbox.url,
    ...(database_url !== undefined && { DATABASE_URL: database_url }),
    ...(redis_url !== undefined && { REDIS_URL: redis_url }),
  }
  const organisation = `faults-${randomBytes(6).toString('hex')}`
  const closers: (() => Promise<unknown>)[] = []

  return {
    engine,
    cap,
    organisation,
    data_dir,
    database_url,
    redis_url,
    sandbox,

    async startHere(around = (_name, port) => port) {
      const parts: { journal?: Journal; counters?: Counters } = {}
      const gateway = await startGateway(readConfig(env, folder), {
        log: pino({ level: 'silent' }),
        around: (name, port) => {
          // As it is, without what the test puts around it.
          if (name !== 'upstream') Object.assign(parts, { [name]: port })
          return around(name, port)
        },
      })
      let closing: Promise<void> | undefined
      const close = () => {
        closing ??= gateway.close()
        return closing
      }
      closers.push(close)
      return { ...gateway, ...(parts as { journal: Journal; counters: Counters }), close }
    },

    async startProcess() {
      const child = spawn(
        process.execPath,
        ['--import', import.meta.resolve('tsx'), fileURLToPath(new URL('gateway-process.ts', import.meta.url))],
        { cwd: folder, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
      )
      closers.push(async () => {
        child.kill('SIGKILL')
        await endOf(child)
      })
      return watched(child)
    },

    async vaultKey(gateway, more = {}) {
      const response = await fetch(`${gateway.admin_url}/admin/vault-keys`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ organisation, agent: { id: 'billing-reconciler-1' }, ...more }),
      })
      const body = (await response.json()) as { vault_key?: string }
      if (body.vault_key === undefined) throw new Error(`no vault key: ${JSON.stringify(body)}`)
      return body.vault_key
    },

    async remove() {
      for (const close of closers.reverse()) await close()
      await sandbox.close()
      await database?.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const endOf = (child: ChildProcess): Promise<number | null> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((resolve) => child.once('exit', (code) => resolve(code)))

async function watched(child: ChildProcess): Promise<Process> {
  const stood = new Set<string>()
  let ready: { agent_url: string } | undefined
  let draining = false
  const log: string[] = []
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const said = line.startsWith('{') ? JSON.parse(line) : {}
    if (said.ready) ready = said.ready
    else if (said.standing) stood.add(said.standing)
    else if (said.draining) draining = true
    else log.push(line)
  })
  child.stderr!.setEncoding('utf8').on('data', (text: string) => log.push(text))
  const ended = endOf(child)
  const { agent_url } = await until('the gateway process is ready', () => {
    if (child.exitCode !== null) throw new Error(log.join('\n'))
    return ready
  })
  return {
    agent_url,
    ended,
    standing: (run) => until(`a call of ${run} stands still`, () => stood.has(run)),
    draining: () => draining,
    signal: (name) => child.kill(name),
    log: () => log.join('\n'),
  }
}
