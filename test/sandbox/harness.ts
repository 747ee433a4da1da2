/** A running sandbox with a client of Stripe's own, and the ledgers that tests read. */
import Stripe from 'stripe'
import { type Effect, type Rule, type SandboxOptions, type SeenRequest, startSandbox } from '../../src/sandbox/index.ts'

export const SECRET = 'sk_test_sandbox'

export interface Answered {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: a foreign API's answer, read field by field in assertions
  readonly body: any
}

export async function running(options: Partial<SandboxOptions> = {}) {
  const sandbox = await startSandbox({ port: 0, ...options })
  const { hostname, port } = new URL(sandbox.url)

  const control = async (method: string, path: string, json?: unknown): Promise<Answered> =>
    answered(
      await fetch(`${sandbox.url}/_sandbox/${path}`, {
        method,
        ...(json !== undefined && { body: JSON.stringify(json) }),
      }),
    )

  return {
    ...sandbox,
    control,
    /** Unmodified; no retries of its own, unless a test asks for some. */
    stripe: (config: Partial<Stripe.StripeConfig> = {}, key = SECRET) =>
      new Stripe(key, { host: hostname, port, protocol: 'http', maxNetworkRetries: 0, telemetry: false, ...config }),
    /** Plain HTTP: `form` is sent as it is. */
    async send(method: string, path: string, form?: string, headers: Record<string, string> = {}): Promise<Answered> {
      const type = { 'Content-Type': 'application/x-www-form-urlencoded' }
      return answered(
        await fetch(`${sandbox.url}${path}`, {
          method,
          headers: { Authorization: `Bearer ${SECRET}`, ...(form !== undefined && type), ...headers },
          redirect: 'manual',
          ...(form !== undefined && { body: form }),
        }),
      )
    },
    effects: async (): Promise<readonly Effect[]> => (await control('GET', 'effects')).body,
    requests: async (): Promise<readonly SeenRequest[]> => (await control('GET', 'requests')).body,
    misbehave: (...rules: Partial<Omit<Rule, 'match'> & { match: Partial<Rule['match']> }>[]) =>
      control('POST', 'misbehave', rules),
  }
}

async function answered(response: Response): Promise<Answered> {
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}
