/** What whoever starts a gateway may put in the place of its own. */
import type { Logger } from 'pino'
import type { PgliteThread } from '../store/pglite/index.ts'

export interface GatewayOptions {
  readonly log?: Logger
  /** The embedded database, where it was started ahead of the gateway's code. It is the gateway's to close. */
  readonly embedded?: Promise<PgliteThread> | undefined
  /** Wraps each port as it is wired; the fault tests put their knife here. */
  readonly around?: <Port extends object>(name: 'journal' | 'counters' | 'upstream', port: Port) => Port
}

export type Surroundings = GatewayOptions & Required<Pick<GatewayOptions, 'log' | 'around'>>
