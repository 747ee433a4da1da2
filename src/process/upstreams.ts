/** One upstream a provider: its pinned origin, its rules, its credential. */
import type { Catalogue } from '../catalogue/index.ts'
import type { Config } from '../config.ts'
import { createUpstream, STRIPE, UPSTREAM_LIMITS, type Upstream } from '../forward/index.ts'
import type { CredentialVault } from '../identity/index.ts'
import type { SandboxProcess } from '../sandbox-process.ts'
import type { Surroundings } from './options.ts'

/** As long as Stripe's own SDK gives a request. */
const DEADLINE_MS = 80_000

const PROVIDER_RULES = { stripe: STRIPE } as const

export function openUpstreams(
  config: Config,
  catalogue: Catalogue,
  credentials: CredentialVault,
  sandbox: SandboxProcess | undefined,
  { log, around }: Surroundings,
): ReadonlyMap<string, Upstream> {
  return new Map(
    catalogue.providers.map(({ name, origin, api_version }) => {
      const own = config.providers[name]
      const deadline_ms = own?.deadline_ms ?? DEADLINE_MS
      // Half of a short deadline, so that there is time for a second attempt.
      const attempt_ms = Math.min(deadline_ms / 2, UPSTREAM_LIMITS.attempt_ms)
      return [
        name,
        around(
          'upstream',
          createUpstream({
            origin: sandbox?.url ?? own?.origin ?? origin,
            rules: PROVIDER_RULES[name as keyof typeof PROVIDER_RULES],
            headers: { 'stripe-version': api_version },
            credential: (organisation) => credentials.get(name, organisation),
            log,
            limits: { attempt_ms, retry_for_ms: deadline_ms - attempt_ms },
          }),
        ),
      ]
    }),
  )
}
