/** Gateways that share a database and a master key, each with folders of its own; one at a time where it is embedded. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import { inject } from 'vitest'
import { stringify } from 'yaml'
import { readConfig } from '../../src/config.ts'
import { type Gateway, startGateway } from '../../src/main.ts'
import type { AuditEvent } from '../../src/model/event.ts'
import { type FreshDatabase, freshDatabase } from '../services/database.ts'
import { sharePolicyCache } from '../services/policy-cache.ts'

export const ENGINES = ['PostgreSQL', 'PGlite'] as const
export type Engine = (typeof ENGINES)[number]

export type Files = Readonly<Record<string, string>>
export type Site = Awaited<ReturnType<typeof openSite>>
export type Started = Awaited<ReturnType<Site['start']>>

const ADMIN_TOKEN = 'csadm_of_the_revision_tests'

/** Charges up to so many cents. */
export const rule = (max: number): string => `package tool_decision

allow {
  input.operation == "create_charge"
  input.params.amount <= ${max}
}
`
export const POLICY = { 'rego/tool_decision.rego': rule(500) }
export const BROKEN = 'package tool_decision\n\nallow {\n'

/** A project in which agent till-1 may charge. */
export const project = (grants: readonly object[]): string => stringify({ project: 'p', agents: ['till-1'], grants })
export const CHARGING = { service: 'stripe', actions: ['create_charge'], grant_id: 'g-1' }
export const READING = { service: 'stripe', actions: ['list_charges'], grant_id: 'g-0' }

export async function openSite(engine: Engine) {
  const root = mkdtempSync(join(tmpdir(), 'countersign-revisions-'))
  sharePolicyCache(join(root, 'data'))
  const database: FreshDatabase | undefined =
    engine === 'PostgreSQL' ? await freshDatabase(inject('postgresUrl'), inject('postgresTemplate')) : undefined
  const running = new Set<Gateway>()
  const env = {
    COUNTERSIGN_PORT: '0',
    COUNTERSIGN_ADMIN_PORT: '0',
    COUNTERSIGN_ADMIN_TOKEN: ADMIN_TOKEN,
    COUNTERSIGN_MASTER_KEY: randomBytes(32).toString('base64'),
    COUNTERSIGN_DATA_DIR: join(root, 'data'),
    STRIPE_API_KEY: 'sk_test_sandbox',
    STRIPE_UPSTREAM_URL: 'http://127.0.0.1:1',
    ...(database && { DATABASE_URL: database.url }),
  }
  const write = (folder: string, files: Files) => {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, folder, path)), { recursive: true })
      writeFileSync(join(root, folder, path), content)
    }
  }

  return {
    engine,
    root,
    write,
    async start(folder: string, files: Files, more: { readonly config?: object; readonly env?: Files } = {}) {
      write(folder, { 'countersign.yaml': stringify(more.config ?? {}), ...files })
      const gateway = await startGateway(readConfig({ ...env, ...more.env }, join(root, folder)), {
        log: pino({ level: 'silent' }),
      })
      running.add(gateway)
      const admin = async (method: string, path: string, json?: unknown) => {
        const response = await fetch(`${gateway.admin_url}${path}`, {
          method,
          headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
          ...(json !== undefined && { body: JSON.stringify(json) }),
        })
        // biome-ignore lint/suspicious/noExplicitAny: an answer off the wire, read field by field in assertions
        return { status: response.status, body: (await response.json()) as any }
      }
      const ready = async () => (await (await fetch(`${gateway.agent_url}/readyz`)).json()) as Ready
      return {
        gateway,
        admin,
        ready,
        revision: async () => (await ready()).policy.revision,
        key: async (request: object = {}): Promise<string> => {
          const made = await admin('POST', '/admin/vault-keys', {
            agent: { id: 'till-1' },
            organisation: 'o',
            ...request,
          })
          return made.body.vault_key
        },
        /** What policy says of a charge, which is not made. */
        charge: async (key: string, amount = 400): Promise<string> => {
          const response = await fetch(`${gateway.agent_url}/v1/providers/stripe/operations/create_charge?dry_run`, {
            method: 'POST',
            headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
            body: JSON.stringify({ params: { amount, currency: 'usd', customer: 'cus_1' } }),
          })
          const body = (await response.json()) as { decision?: string; code?: string }
          return body.decision ?? body.code ?? ''
        },
        rows: async (): Promise<readonly AuditEvent[]> =>
          (await admin('GET', '/admin/audit?kind=policy_changed&limit=1000')).body.events,
        stop: async () => {
          running.delete(gateway)
          await gateway.close()
        },
      }
    },
    /** As who may do everything in the database: past the triggers. */
    async tamper(statement: string): Promise<void> {
      const client = new pg.Client({ connectionString: database!.url })
      await client.connect()
      await client.query(`set session_replication_role = replica; ${statement}`)
      await client.end()
    },
    async close(): Promise<void> {
      for (const gateway of running) await gateway.close()
      await database?.drop()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

interface Ready {
  readonly ready: boolean
  readonly policy: { readonly revision: string; readonly wanted?: string; readonly why?: string }
}
