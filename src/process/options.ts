/** What whoever starts a gateway may put in the place of its own. */
import type { Logger } from 'pino'

export interface GatewayOptions {
  readonly log?: Logger
  /** Wraps each port as it is wired; the fault tests put their knife here. */
  readonly around?: <Port extends object>(name: 'journal' | 'counters' | 'upstream', port: Port) => Port
}

export type Surroundings = Required<GatewayOptions>
