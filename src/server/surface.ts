/** Which provider's own API a raw request means, if any. The request chooses a surface; the origin stays pinned. */
import { oddity } from '../model/path.ts'
import { type Refusal, refuse } from '../model/refusal.ts'

export interface Surface {
  readonly provider: string
  /** Raw, without the provider's prefix. */
  readonly path: string
  /** Headers that would change whom the call acts for, and that no rule has judged. */
  readonly objection?: (header: (name: string) => string | undefined) => Refusal | undefined
}

export type SurfaceOf = (host: string | undefined, path: string) => Surface | undefined

interface ProviderNames {
  readonly name: string
  readonly hosts: readonly string[]
}

export function surfaces(providers: readonly ProviderNames[], root: string): SurfaceOf {
  return (host, path) => {
    const named = providers.find(({ name }) => path.startsWith(`/${name}/`))
    if (named) return { provider: named.name, path: path.slice(named.name.length + 1), objection }
    const name = host?.replace(/:\d+$/, '').toLowerCase()
    const hosted = providers.find(({ hosts }) => name !== undefined && hosts.includes(name))
    if (hosted) return { provider: hosted.name, path, objection }
    // The catalogue refuses an odd path in the provider's own shape, and the refusal is written down.
    if (oddity(path) !== undefined) return { provider: root, path, objection }
    const [, version, first = ''] = path.split('/', 3)
    return version === 'v1' && !OWN.has(first) ? { provider: root, path, objection } : undefined
  }
}

/** What the agent plane calls its own under /v1; a typo there must not become a call to a provider. */
const OWN = new Set(['providers', 'calls', 'operations', 'access-requests', 'data', 'batch', 'compile'])

const ACTS_FOR_ANOTHER = ['stripe-account', 'stripe-context']
const CHANGES_METHOD = ['x-http-method-override', 'x-http-method', 'x-method-override']

function objection(header: (name: string) => string | undefined): Refusal | undefined {
  const other = ACTS_FOR_ANOTHER.find((name) => header(name) !== undefined)
  if (other)
    return refuse('policy_denied', `The header ${other} would act for another account, which no rule here allows.`, {
      fix: `Leave the header ${other} out.`,
    })
  const override = CHANGES_METHOD.find((name) => header(name) !== undefined)
  if (override) return refuse('malformed_request', `The header ${override} would change the method that was judged.`)
  return undefined
}
