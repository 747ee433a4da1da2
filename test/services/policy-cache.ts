/** Compiled policies that the gateways of a whole run share, so that the same rules are compiled once. */
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'

/** Before a gateway with this data directory starts for the first time. */
export function sharePolicyCache(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true })
  symlinkSync(inject('policyCache'), join(dataDir, 'policy-cache'))
}
