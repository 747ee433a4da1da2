/** The admin plane as the commands use it: one address, one token, and its refusals in words. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { ADMIN_TOKEN_FILE } from '../local-secrets.ts'
import { CliError } from './output.ts'

export interface AdminClient {
  readonly url: string
  get<Answer>(path: string, query?: Query): Promise<Answer>
  post<Answer>(path: string, body: object): Promise<Answer>
  /** The bytes of a JSONL answer as they come. */
  lines(path: string, query: Query): Promise<AsyncIterable<Uint8Array>>
}

export type Query = Readonly<Record<string, string | number | undefined>>
/** What the gateway itself refused, for a reason that its code names. */
export class RefusedError extends CliError {
  readonly code: string
  readonly detail: string

  constructor({ code, detail, fix }: Readonly<Record<'code' | 'detail' | 'fix', string>>) {
    super(detail, fix)
    this.code = code
    this.detail = detail
  }
}

type Environment = Readonly<Record<string, string | undefined>>

export const withAdminUrl = (command: Command): Command =>
  command.option(
    '--admin-url <url>',
    'admin plane of the gateway (default: COUNTERSIGN_ADMIN_URL, else 127.0.0.1 at COUNTERSIGN_ADMIN_PORT or 8788)',
  )

export function adminClient({ adminUrl }: { adminUrl?: string }, env: Environment = process.env): AdminClient {
  const url = plainUrl(
    adminUrl || env.COUNTERSIGN_ADMIN_URL || `http://127.0.0.1:${env.COUNTERSIGN_ADMIN_PORT || 8788}`,
  )
  const headers = { authorization: `Bearer ${tokenOf(env)}` }

  async function ask(path: string, init: RequestInit): Promise<Response> {
    let response: Response
    try {
      response = await fetch(`${url}${path}`, init)
    } catch (error) {
      throw unreachable(url, error)
    }
    if (!response.ok) throw await refused(url, response)
    return response
  }

  return {
    url,
    get: async <Answer>(path: string, query: Query = {}) =>
      answer<Answer>(url, await ask(`${path}${queryOf(query)}`, { headers })),
    post: async <Answer>(path: string, body: object) =>
      answer<Answer>(
        url,
        await ask(path, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      ),
    async lines(path, query) {
      const response = await ask(`${path}${queryOf(query)}`, {
        headers: { ...headers, accept: 'application/x-ndjson' },
      })
      if (!response.headers.get('content-type')?.startsWith('application/x-ndjson') || !response.body)
        throw notAdmin(url, response.status)
      return response.body as unknown as AsyncIterable<Uint8Array>
    },
  }
}

function plainUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text.replace(/\/+$/, '')
  throw new CliError(`${JSON.stringify(text)} is not the address of an admin plane.`, 'Write http://127.0.0.1:8788.')
}

function tokenOf(env: Environment): string {
  if (env.COUNTERSIGN_ADMIN_TOKEN) return env.COUNTERSIGN_ADMIN_TOKEN
  const file = join(resolve(env.COUNTERSIGN_DATA_DIR || '.countersign'), ADMIN_TOKEN_FILE)
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  throw new CliError(
    `There is no admin token: COUNTERSIGN_ADMIN_TOKEN is not set, and there is no ${file}.`,
    'Set COUNTERSIGN_ADMIN_TOKEN, or run this where the gateway runs (COUNTERSIGN_DATA_DIR names its data directory).',
  )
}

function queryOf(query: Query): string {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value))
  return given.size === 0 ? '' : `?${given}`
}

async function answer<Answer>(url: string, response: Response): Promise<Answer> {
  try {
    return (await response.json()) as Answer
  } catch {
    throw notAdmin(url, response.status)
  }
}

function unreachable(url: string, error: unknown): CliError {
  const { code, message } = ((error as Error).cause ?? error) as NodeJS.ErrnoException
  return code === 'ECONNREFUSED'
    ? new CliError(
        `The gateway is not running at ${url}.`,
        'Start it with `countersign serve`, or name another with --admin-url or COUNTERSIGN_ADMIN_URL.',
      )
    : new CliError(`The gateway at ${url} cannot be reached: ${message}.`, 'Check the address, and what lies between.')
}

async function refused(url: string, response: Response): Promise<CliError> {
  const problem = (await response.json().catch(() => null)) as { [Name in 'code' | 'detail' | 'fix']?: unknown } | null
  const { code, detail, fix } = problem ?? {}
  if (typeof code !== 'string' || typeof detail !== 'string' || typeof fix !== 'string')
    return notAdmin(url, response.status)
  return new RefusedError({ code, detail, fix })
}

const notAdmin = (url: string, status: number): CliError =>
  new CliError(
    `What answers at ${url} (HTTP ${status}) is not the admin plane of a gateway.`,
    'Name the admin plane (port 8788 by default, not 8787) with --admin-url.',
  )
