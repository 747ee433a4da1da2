/** What a client needs to know, read once from its options and the environment. Throws a clear error, never with a secret in it. */
import { AuthenticationError, CountersignError } from './errors.ts'

export interface CountersignOptions {
  /** The agent plane of the gateway, as `http://127.0.0.1:8787`. Default: `COUNTERSIGN_URL`. */
  readonly baseUrl?: string | undefined
  /** `cs_…`. Default: `COUNTERSIGN_VAULT_KEY`. */
  readonly vaultKey?: string | undefined
  /** One execution: a conversation, session or workflow run. Default: `COUNTERSIGN_RUN`, else the key's own run. */
  readonly run?: string | undefined
  /** For sending one call, its repeats included, in milliseconds. Default: 60 000. */
  readonly timeoutMs?: number | undefined
  /** How often one call is sent again, under the same call id. Default: 3. */
  readonly maxRetries?: number | undefined
  /** Default: the runtime's. */
  readonly fetch?: typeof fetch | undefined
}

export interface Settings {
  /** Without a slash at its end. */
  readonly baseUrl: string
  readonly vaultKey: string
  readonly run?: string
  readonly timeoutMs: number
  readonly maxRetries: number
  readonly fetch: typeof fetch
}

type Environment = Readonly<Record<string, string | undefined>>

export function readSettings(options: CountersignOptions, environment: Environment = processEnvironment()): Settings {
  const run = options.run ?? nonEmpty(environment.COUNTERSIGN_RUN)
  return {
    baseUrl: readBaseUrl(options.baseUrl ?? nonEmpty(environment.COUNTERSIGN_URL)),
    vaultKey: readVaultKey(options.vaultKey ?? nonEmpty(environment.COUNTERSIGN_VAULT_KEY)),
    timeoutMs: readCount('timeoutMs', options.timeoutMs ?? 60_000, 1),
    maxRetries: readCount('maxRetries', options.maxRetries ?? 3, 0),
    // Called as a plain function: some runtimes refuse a fetch that was taken off its global.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    ...(run === undefined ? {} : { run }),
  }
}

function readBaseUrl(given: string | undefined): string {
  if (given === undefined) {
    throw invalid(
      'The address of the gateway is missing.',
      'Pass baseUrl, or set COUNTERSIGN_URL (http://127.0.0.1:8787 for a local gateway).',
    )
  }
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw invalid(
      'baseUrl is not a plain http or https address.',
      'Use the form https://gateway.example, with nothing but a path after it.',
    )
  }
  return url.href.replace(/\/+$/, '')
}

/** How the providers' own secrets start. */
const PROVIDER_KEY = /^(sk|rk|pk)_(live|test)_|^whsec_|^re_|^(AC|SK)[0-9a-f]{32}$/

function readVaultKey(given: string | undefined): string {
  const key = given?.trim()
  if (!key) {
    throw new AuthenticationError({
      code: 'missing_credential',
      detail: 'The vault key is missing.',
      fix: 'Pass vaultKey, or set COUNTERSIGN_VAULT_KEY; `countersign keys create` makes one.',
    })
  }
  if (PROVIDER_KEY.test(key)) {
    throw new AuthenticationError({
      code: 'live_provider_key',
      detail: "vaultKey is a provider's own key. It was not sent anywhere.",
      fix: "Never give an agent a provider's key. Roll that key at the provider, and pass a vault key (cs_…).",
    })
  }
  if (!/^cs_[\x21-\x7e]+$/.test(key)) {
    throw new AuthenticationError({
      code: 'unknown_key',
      detail: 'vaultKey is not a vault key: those start with cs_.',
      fix: 'Create one with `countersign keys create`, and pass that.',
    })
  }
  return key
}

function readCount(name: string, value: number, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value
  throw invalid(`${name} is ${value}.`, `Give a whole number from ${min} up.`)
}

const invalid = (detail: string, fix: string): CountersignError =>
  new CountersignError({ code: 'invalid_configuration', detail, fix })

const nonEmpty = (value: string | undefined): string | undefined => value?.trim() || undefined

/** Runtimes without a process have no environment. */
function processEnvironment(): Environment {
  const { process } = globalThis as { process?: { env?: Environment } }
  return process?.env ?? {}
}
