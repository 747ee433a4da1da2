/**
 * The environment and `countersign.yaml`, read once, validated and frozen. Every fault is reported at once: what, where,
 * why and the fix. Nothing that guards money has a silent default.
 */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import { LineCounter, parseDocument } from 'yaml'
import { STARTER_POLICY_DIR } from './layout.ts'
import type { RepeatMode } from './model/agent.ts'
import type { Budget } from './model/budget.ts'
import type { DecisionAudit } from './model/decision.ts'
import { milliseconds } from './model/duration.ts'
import { isCurrency } from './model/money.ts'
import { schema } from './schemas.ts'

export interface Config {
  readonly host: string
  readonly port: number
  readonly admin_port: number
  readonly admin_token: string | undefined
  readonly data_dir: string
  readonly database_url: string | undefined
  readonly redis_url: string | undefined
  readonly policy_dir: string
  readonly projects_dir: string
  /** False: no policy directory was there, and the packaged starter policy stands in (reads only). */
  readonly policy_is_own: boolean
  readonly sandbox: boolean
  readonly master_key: string | undefined
  readonly providers: Readonly<Record<string, ProviderConfig>>
  readonly budgets: readonly Budget[]
  readonly rates: Readonly<Record<string, number>>
  readonly repeat: {
    readonly mode: RepeatMode
    readonly window_s: number
    readonly groups: Readonly<Record<string, { readonly mode?: RepeatMode; readonly window_s?: number }>>
  }
  readonly recovery: { readonly every_ms: number; readonly silent_ms: number; readonly unclaimed_ms: number }
  /** Where callers reach the agent plane, if not at its own address. */
  readonly public_url: string | undefined
  /** When the row of a decision without a call is committed. */
  readonly decision_audit: DecisionAudit
  /** Policy comes from this address, not from the folders. */
  readonly policy_bundle: { readonly url: string; readonly every_ms: number } | undefined
  readonly log_level: string
}

export interface ProviderConfig {
  /** Taken at start where none is stored. */
  readonly credential: string | undefined
  readonly origin: string | undefined
  readonly deadline_ms: number
}

export class ConfigError extends Error {
  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.name = 'ConfigError'
  }
}

/** Environment names per provider: `STRIPE_API_KEY`, `STRIPE_UPSTREAM_URL`. */
const PROVIDERS = ['stripe'] as const

type Environment = Readonly<Record<string, string | undefined>>

/** Throws `ConfigError` with one line a fault. */
export function readConfig(env: Environment, cwd: string): Config {
  const faults: string[] = []
  const file = readFile(env.COUNTERSIGN_CONFIG, cwd, faults)
  const given = (name: string): string | undefined => env[name] || undefined
  const port = (name: string, fallback: number): number => {
    const text = given(name)
    const value = text === undefined ? fallback : Number(text)
    if (!Number.isInteger(value) || value < 0 || value > 65_535)
      faults.push(`${name}: ${JSON.stringify(text)} is not a port. Set a number from 0 to 65535; 0 takes a free one.`)
    return value
  }
  const time = (text: string | undefined, fallback: string): number => milliseconds(text ?? fallback)

  const own = resolve(cwd, given('COUNTERSIGN_POLICY_DIR') ?? 'rego')
  const policy_is_own = existsSync(own)
  if (!policy_is_own && given('COUNTERSIGN_POLICY_DIR'))
    faults.push(
      `COUNTERSIGN_POLICY_DIR: there is no folder ${own}. Create it with \`countersign init\`, or name another.`,
    )
  if (given('COUNTERSIGN_SANDBOX') !== undefined && !['0', '1'].includes(env.COUNTERSIGN_SANDBOX!))
    faults.push('COUNTERSIGN_SANDBOX: set 1 for the bundled sandbox, or leave it out.')
  for (const [name, schemes] of Object.entries(URLS)) {
    const text = given(name)
    if (text !== undefined && !schemes.some((scheme) => text.startsWith(scheme)))
      faults.push(`${name}: this is not a URL that starts with ${schemes.join(' or ')}.`)
  }

  const config: Config = {
    host: given('COUNTERSIGN_HOST') ?? '127.0.0.1',
    port: port('COUNTERSIGN_PORT', 8787),
    admin_port: port('COUNTERSIGN_ADMIN_PORT', 8788),
    admin_token: given('COUNTERSIGN_ADMIN_TOKEN'),
    data_dir: resolve(cwd, given('COUNTERSIGN_DATA_DIR') ?? '.countersign'),
    database_url: given('DATABASE_URL'),
    redis_url: given('REDIS_URL'),
    policy_dir: policy_is_own ? own : STARTER_POLICY_DIR,
    projects_dir: resolve(cwd, given('COUNTERSIGN_PROJECTS_DIR') ?? 'policies'),
    policy_is_own,
    sandbox: env.COUNTERSIGN_SANDBOX === '1',
    master_key: given('COUNTERSIGN_MASTER_KEY'),
    providers: Object.fromEntries(
      PROVIDERS.map((name) => {
        const upstream = file.upstreams?.[name]
        return [
          name,
          {
            credential: given(`${name.toUpperCase()}_API_KEY`),
            origin: given(`${name.toUpperCase()}_UPSTREAM_URL`) ?? upstream?.origin,
            deadline_ms: time(upstream?.deadline, '80s'),
          },
        ]
      }),
    ),
    budgets: file.budgets ?? [],
    rates: file.rates ?? {},
    repeat: {
      mode: file.repeat?.mode ?? 'replay',
      window_s: time(file.repeat?.window, '24h') / 1_000,
      groups: Object.fromEntries(
        Object.entries(file.repeat?.groups ?? {}).map(([group, { mode, window }]) => [
          group,
          { ...(mode && { mode }), ...(window && { window_s: milliseconds(window) / 1_000 }) },
        ]),
      ),
    },
    recovery: {
      every_ms: time(file.recovery?.every, '1s'),
      silent_ms: time(file.recovery?.gateway_silent, '10s'),
      unclaimed_ms: time(file.recovery?.reservation_unclaimed, '15s'),
    },
    public_url: file.public_url,
    decision_audit: file.decision_audit ?? 'commit',
    policy_bundle: file.policy?.bundle && {
      url: file.policy.bundle.url,
      every_ms: time(file.policy.bundle.every, '30s'),
    },
    log_level: given('COUNTERSIGN_LOG_LEVEL') ?? file.log_level ?? 'info',
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return deepFreeze(config)
}

const URLS = { DATABASE_URL: ['postgres://', 'postgresql://'], REDIS_URL: ['redis://', 'rediss://'] } as const

interface ConfigFile {
  budgets?: Budget[]
  rates?: Record<string, number>
  repeat?: { mode?: RepeatMode; window?: string; groups?: Record<string, { mode?: RepeatMode; window?: string }> }
  upstreams?: Record<string, { origin?: string; deadline?: string }>
  recovery?: { every?: string; gateway_silent?: string; reservation_unclaimed?: string }
  public_url?: string
  decision_audit?: DecisionAudit
  policy?: { bundle?: { url: string; every?: string } }
  log_level?: string
}

function readFile(named: string | undefined, cwd: string, faults: string[]): ConfigFile {
  const path = resolve(cwd, named || 'countersign.yaml')
  if (!existsSync(path)) {
    if (named) faults.push(`COUNTERSIGN_CONFIG: there is no file ${path}. Create it, or leave the variable out.`)
    return {}
  }
  const lines = new LineCounter()
  const document = parseDocument(readFileSync(path, 'utf8'), { lineCounter: lines, uniqueKeys: true })
  for (const error of document.errors)
    faults.push(`${path}:${error.linePos?.[0].line ?? 1}: ${error.message.split('\n')[0]}`)
  if (document.errors.length > 0) return {}
  const content = document.toJS() as ConfigFile | null
  if (content === null) return {}
  const at = (pointer: string): string => {
    const keys = pointer.split('/').slice(1)
    for (let depth = keys.length; depth > 0; depth--) {
      const node = document.getIn(
        keys.slice(0, depth).map((key) => (/^\d+$/.test(key) ? Number(key) : key)),
        true,
      ) as { range?: [number, number, number] } | undefined
      if (node?.range) return `${path}:${lines.linePos(node.range[0]).line}`
    }
    return `${path}:1`
  }
  // Without the meta-schema: the schema is the package's own, and the tests hold it against that.
  const check = new Ajv2020({ allErrors: true, validateSchema: false, meta: false }).compile(schema('config'))
  if (!check(content)) {
    for (const error of check.errors!) faults.push(`${at(error.instancePath)}: ${sentence(error)}`)
    return {}
  }
  for (const [i, { currency }] of (content.budgets ?? []).entries())
    if (!isCurrency(currency))
      faults.push(
        `${at(`/budgets/${i}/currency`)}: ${currency} is not an ISO 4217 currency. Use one such as usd or eur.`,
      )
  return content
}

function sentence({ instancePath, keyword, params, message }: ErrorObject): string {
  const where = instancePath.slice(1).replaceAll('/', '.') || 'the file'
  if (keyword === 'additionalProperties')
    return `${where} has a field ${params.additionalProperty} that does not exist. Remove it, or correct its spelling.`
  if (keyword === 'enum') return `${where} must be one of ${params.allowedValues.join(', ')}.`
  return `${where} ${message}.`
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(deepFreeze)
  }
  return value
}
