/**
 * A world to try the gateway in: a sandbox for an upstream, one gateway or several over one engine, and the questions that
 * tests ask from outside. What the invariants say of every moment is watched at the ports while the world lives.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Logger, pino } from 'pino'
import { inject } from 'vitest'
import { stringify } from 'yaml'
import { readConfig } from '../../src/config.ts'
import { type Gateway, startGateway } from '../../src/main.ts'
import type { AuditEvent } from '../../src/model/event.ts'
import { type Effect, type RunningSandbox, type Seed, type SeenRequest, startSandbox } from '../../src/sandbox/index.ts'
import { type FreshDatabase, freshDatabase } from '../services/database.ts'
import { sharePolicyCache } from '../services/policy-cache.ts'
import { type Watch, watchPorts } from './watch.ts'

/** What a world runs on: memory and PGlite, or Redis and PostgreSQL. */
export const ENGINES = ['embedded', 'servers'] as const
export type Engine = (typeof ENGINES)[number]

/** The provider's secret that only the gateway holds. */
export const UPSTREAM_SECRET = 'sk_test_sandbox'

export interface WorldOptions {
  /** File name → Rego; `../policies/billing.yaml` is a project policy. */
  readonly policy: Readonly<Record<string, string>>
  /** What `countersign.yaml` says. */
  readonly config?: object
  /** Another upstream than a sandbox of the world's own. */
  readonly upstream?: string
  readonly log?: Logger
}

export interface Answered {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: an answer off the wire, read field by field in assertions
  readonly body: any
}

export interface Key {
  readonly id: string
  readonly secret: string
  readonly organisation: string
}

export interface Spend {
  readonly scope: string
  readonly window: string
  readonly cap: number
  readonly spent: number
  readonly reserved: number
  readonly currency: string
}

export interface SendOptions {
  readonly key?: Key | string
  readonly gateway?: Gateway
  readonly headers?: Readonly<Record<string, string>>
}

export type World = Awaited<ReturnType<typeof openWorld>>

export async function openWorld(engine: Engine, options: WorldOptions) {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-world-'))
  const name = `w${randomBytes(5).toString('hex')}`
  const closers: (() => Promise<unknown>)[] = []
  const sandbox: RunningSandbox = await startSandbox({ port: 0 })
  closers.push(() => sandbox.close())
  let database: FreshDatabase | undefined
  if (engine === 'servers') {
    const own = await freshDatabase(inject('postgresUrl'), inject('postgresTemplate'))
    database = own
    closers.push(() => own.drop())
  }

  const writePolicy = (files: Readonly<Record<string, string>>) => {
    for (const [file, text] of Object.entries(files)) {
      const path = join(folder, 'rego', file)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
    }
  }
  writePolicy(options.policy)
  writeFileSync(join(folder, 'countersign.yaml'), stringify(options.config ?? {}))
  sharePolicyCache(join(folder, 'data'))
  const environment = {
    COUNTERSIGN_PORT: '0',
    COUNTERSIGN_ADMIN_PORT: '0',
    COUNTERSIGN_ADMIN_TOKEN: `csadm_${randomBytes(12).toString('hex')}`,
    COUNTERSIGN_MASTER_KEY: randomBytes(32).toString('base64'),
    COUNTERSIGN_DATA_DIR: 'data',
    STRIPE_API_KEY: UPSTREAM_SECRET,
    STRIPE_UPSTREAM_URL: options.upstream ?? sandbox.url,
    ...(database && { DATABASE_URL: database.url, REDIS_URL: inject('redisUrl') }),
  }
  const watch: Watch = watchPorts()
  const gateways: Gateway[] = []

  async function addGateway(): Promise<Gateway> {
    const gateway = await startGateway(readConfig(environment, folder), {
      log: options.log ?? pino({ level: 'silent' }),
      around: watch.around(),
    })
    gateways.push(gateway)
    closers.push(() => gateway.close())
    return gateway
  }
  const first = await addGateway()

  let organisations = 0
  const newOrganisation = () => `${name}-${++organisations}`

  const admin = async (method: string, path: string, json?: unknown): Promise<Answered> =>
    answered(
      await fetch(`${first.admin_url}${path}`, {
        method,
        headers: { authorization: `Bearer ${first.admin_token}`, 'content-type': 'application/json' },
        ...(json !== undefined && { body: JSON.stringify(json) }),
      }),
    )

  async function issue(request: { readonly organisation?: string; readonly [field: string]: unknown }): Promise<Key> {
    const organisation = request.organisation ?? newOrganisation()
    const { status, body } = await admin('POST', '/admin/vault-keys', { ...request, organisation })
    if (status !== 201) throw new Error(`no key was issued: ${JSON.stringify(body)}`)
    return { id: body.id, secret: body.vault_key, organisation }
  }

  const control = async (method: string, path: string, json?: unknown): Promise<Answered> => {
    const done = await answered(
      await fetch(`${sandbox.url}/_sandbox/${path}`, {
        method,
        ...(json !== undefined && { body: JSON.stringify(json) }),
      }),
    )
    if (done.status !== 200) throw new Error(`the sandbox did not obey: ${JSON.stringify(done.body)}`)
    return done
  }

  return {
    engine,
    name,
    sandbox,
    gateways,
    gateway: first,
    watch,
    addGateway,
    newOrganisation,
    admin,
    issue,
    /** `POST /v1/providers/stripe/operations/{operation}`. */
    async byName(operation: string, call: object, send: SendOptions = {}): Promise<Answered> {
      const { gateway = first, headers } = send
      return answered(
        await fetch(`${gateway.agent_url}/v1/providers/stripe/operations/${operation}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...bearer(send), ...headers },
          body: JSON.stringify(call),
        }),
      )
    },
    /** The provider's own route; the form is sent as it is. */
    async dropIn(method: string, path: string, send: SendOptions & { readonly form?: string } = {}): Promise<Answered> {
      const { gateway = first, headers, form } = send
      const type = { 'content-type': 'application/x-www-form-urlencoded' }
      return answered(
        await fetch(`${gateway.agent_url}${path}`, {
          method,
          headers: { ...(form !== undefined && type), ...bearer(send), ...headers },
          ...(form !== undefined && { body: form }),
        }),
      )
    },
    async ask(path: string, send: SendOptions = {}): Promise<Answered> {
      return answered(await fetch(`${(send.gateway ?? first).agent_url}${path}`, { headers: bearer(send) }))
    },
    /** Bytes as they are, to the agent plane; everything that came back until the gateway closed. */
    raw: (bytes: string | Buffer): Promise<string> => sendBytes(new URL(first.agent_url), bytes),
    async rows(filter: Readonly<Record<string, string>>): Promise<readonly AuditEvent[]> {
      const { status, body } = await admin('GET', `/admin/audit?limit=1000&${new URLSearchParams(filter)}`)
      if (status !== 200) throw new Error(`the audit trail did not answer: ${JSON.stringify(body)}`)
      return body.events
    },
    async spend(key: Key): Promise<readonly Spend[]> {
      return (await admin('GET', `/admin/vault-keys/${key.id}`)).body.spend
    },
    async reloadPolicy(files: Readonly<Record<string, string>>): Promise<Answered> {
      writePolicy(files)
      return admin('POST', '/admin/policies/reload')
    },
    plant: (seed: Seed) => control('POST', 'seed', seed),
    misbehave: (...rules: object[]) => control('POST', 'misbehave', rules),
    behave: () => control('DELETE', 'misbehave'),
    effects: async (since = 0): Promise<readonly Effect[]> => (await control('GET', `effects?since=${since}`)).body,
    requests: async (since = 0): Promise<readonly SeenRequest[]> =>
      (await control('GET', `requests?since=${since}`)).body,
    async close(): Promise<void> {
      for (const close of closers.reverse()) await close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function bearer({ key }: SendOptions): { authorization?: string } {
  if (key === undefined) return {}
  return { authorization: `Bearer ${typeof key === 'string' ? key : key.secret}` }
}

async function answered(response: Response): Promise<Answered> {
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : parsed(text) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const sendBytes = ({ hostname, port }: URL, bytes: string | Buffer): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // A gateway that closes while bytes are still on their way resets: what it said before counts.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error)
    })
  })
