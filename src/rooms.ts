/** What the two stories are wired to. `process/wire.ts` makes one, tests make another from the same real parts. */
import type { Catalogue } from './catalogue/index.ts'
import type { Upstream } from './forward/index.ts'
import type { KeyFinder, Sealer } from './identity/index.ts'
import type { RepeatMode } from './model/agent.ts'
import type { Budget } from './model/budget.ts'
import type { Counters } from './model/counters.ts'
import type { Policy } from './model/decision.ts'
import type { EventId } from './model/id.ts'
import type { Journal } from './model/journal.ts'
import type { RunningCalls } from './replay/index.ts'
import type { Rates } from './spend/index.ts'

export interface Rooms {
  readonly gateway_id: string
  readonly catalogue: Catalogue
  readonly findKey: KeyFinder
  readonly journal: Journal
  readonly counters: Counters
  /** The revision in force now. */
  readonly policy: () => Policy
  readonly upstream: (provider: string) => Upstream
  /** Encrypts the requests and answers that the journal keeps. */
  readonly bodies: Sealer
  readonly running: RunningCalls
  /** When the journal last heard that this gateway lives, milliseconds since 1970. */
  readonly pulse: { at: number }
  /** Event → organisation of calls that a fault left between reservation and outcome. `recover.ts` ends them. */
  readonly abandoned: Map<EventId, string>
  /** Starts to rebuild an organisation's counters from the ledger, unless that is under way. Never throws. */
  readonly rehydrate: (organisation: string, refused?: number) => void
  readonly settings: CallSettings
  readonly now: () => Date
  /** For the operator's log; the caller hears only which part failed. */
  readonly onFault: (event: EventId, fault: unknown) => void
}

export interface CallSettings {
  readonly budgets: readonly Budget[]
  readonly rates: Rates
  readonly repeat: RepeatSettings
  /** A gateway that the journal has not heard of for so long has its calls taken over. */
  readonly silent_ms: number
  /** How long a twin waits for the first before it is told to come back. */
  readonly join_ms: number
}

export interface RepeatSettings {
  readonly mode: RepeatMode
  readonly window_s: number
  /** By operation group; a vault key's own mode goes before it. */
  readonly groups: Readonly<Record<string, { readonly mode?: RepeatMode; readonly window_s?: number }>>
}
