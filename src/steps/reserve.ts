/** Spend reserved, or why not. */
import type { BudgetLine } from '../model/budget.ts'
import type { Admitted, Counters } from '../model/counters.ts'
import type { SpendFact } from '../model/decision.ts'
import type { EventId } from '../model/id.ts'
import type { Operation } from '../model/operation.ts'
import { type Refusal, refuse } from '../model/refusal.ts'
import type { CallIdentity } from '../replay/index.ts'
import type { Rooms } from '../rooms.ts'
import { cappedRefusal } from '../spend/index.ts'

/** What the story goes on with: reserved, or nothing that needed it. */
type Reservation = Admitted | { readonly kind: 'reserved'; readonly generation: null; readonly alerts: readonly [] }

/** A call that draws on nothing and repeats nothing has nothing to reserve, and does not wait for the counters. */
export async function reserve(
  counters: Counters,
  organisation: string,
  event_id: EventId,
  { identities }: CallIdentity,
  lines: readonly BudgetLine[],
): Promise<Reservation> {
  if (lines.length + identities.length === 0) return { kind: 'reserved', generation: null, alerts: [] }
  return counters.reserve({ organisation, event_id, identities: identities.map(({ name }) => name), lines })
}

export const COUNTERS_LOST =
  'The spend counters lost their memory (restart, flush or failover) and are being rebuilt from the ledger.'

/** Starts the rebuild, and says so. `refused`: the generation of an intent that came too late. */
export function rehydrating(rooms: Rooms, organisation: string, refused?: number | null): Refusal {
  rooms.rehydrate(organisation, refused ?? 0)
  return refuse('counters_rehydrating', COUNTERS_LOST)
}

export const priceUnknown = (operation: Operation): Refusal =>
  refuse('price_unknown', `${operation.name} moves money, and neither its params nor what they name say how much.`)

/** A dry run reserves nothing, so it can only compare. */
export function overCap(lines: readonly BudgetLine[], spend: readonly SpendFact[]): Refusal | undefined {
  for (const [at, line] of lines.entries()) {
    const { spent, reserved } = spend[at]!
    if (line.amount > 0 && spent + reserved + line.amount > line.cap) return cappedRefusal(line, { spent, reserved })
  }
  return undefined
}
