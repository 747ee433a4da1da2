/**
 * The second story: what a crash, a lost connection or a provider's silence left behind, brought to its end. Runs at
 * start and by a timer, on every gateway; each step is harmless when another gateway has just done it.
 */
import { type Known, reopenIntent } from './audit/index.ts'
import { defined } from './model/defined.ts'
import type { EventId } from './model/id.ts'
import type { Intent } from './model/intent.ts'
import type { CallRecord } from './model/journal.ts'
import type { Outcome } from './model/outcome.ts'
import { isRefusal } from './model/refusal.ts'
import type { Rooms } from './rooms.ts'
import { finish, openRequest, reservedFor } from './steps/index.ts'

export interface RecoverySettings {
  /** A gateway that has not been heard of for so long is gone, and its calls are taken over. */
  readonly silent_ms: number
  /** A reservation without an intent is given up after so long. */
  readonly unclaimed_ms: number
  readonly batch: number
}

export interface Recovery {
  readonly finished: number
  readonly released: number
}

export async function recover(rooms: Rooms, settings: RecoverySettings): Promise<Recovery> {
  const left = await rooms.journal.orphans(settings.silent_ms, settings.batch)
  const dropped = await ownCallsDropped(rooms)
  let finished = 0
  for (const record of [...left, ...dropped]) {
    try {
      if (await end(rooms, record)) finished++
    } catch (fault) {
      // One call that cannot be ended must not keep the others waiting.
      rooms.onFault(record.event_id, fault)
    }
  }
  const released = await reconcile(rooms, settings)
  return { finished, released }
}

/** Calls of this gateway that a fault interrupted: either their intent stands, or from now on it never will. */
async function ownCallsDropped({ abandoned, journal, counters, onFault }: Rooms): Promise<readonly CallRecord[]> {
  const standing: CallRecord[] = []
  for (const [event, organisation] of abandoned) {
    if (await journal.void(event, organisation)) {
      try {
        await counters.settle(organisation, event, [], 0)
        abandoned.delete(event)
      } catch (fault) {
        // The counters are away: it is released at a later pass, and what has a record need not wait for them.
        onFault(event, fault)
      }
      continue
    }
    const record = await journal.call(event)
    if (record && (record.state === 'running' || record.state === 'unknown')) standing.push(record)
    else abandoned.delete(event)
  }
  return standing
}

/** True where the call has a final outcome now. */
async function end(rooms: Rooms, record: CallRecord): Promise<boolean> {
  const intent = reopen(rooms, record)
  const outcome = await evidence(rooms, intent, record)
  await finish(rooms, knownOf(rooms, record), intent, outcome, record.held, record.identities)
  rooms.abandoned.delete(record.event_id)
  return outcome.kind !== 'unknown'
}

/**
 * What can be found out of a call that nobody waits for. A repeat under the same key is the best evidence there is: the
 * provider answers from its own record, or acts now for the first time. What could act twice by now is not sent.
 */
async function evidence(rooms: Rooms, intent: Intent, record: CallRecord): Promise<Outcome> {
  if (intent.operation.effect === 'write') return rooms.upstream(record.provider).resend(intent)
  const latency_ms = rooms.now().getTime() - Date.parse(record.committed_at)
  const detail = 'The gateway stopped before the answer came; a read has no effect.'
  return { kind: 'failed', detail, attempts: 0, latency_ms }
}

function reopen(rooms: Rooms, record: CallRecord): Intent {
  const operation = rooms.catalogue.resolve(record.provider, record.operation)
  if (isRefusal(operation))
    throw new Error(`event ${record.event_id} is of ${record.provider} ${record.operation}, which the catalogue lost`)
  const { event_id, organisation } = record
  return reopenIntent({ event_id, organisation, operation, request: openRequest(rooms.bodies, record) })
}

/** The decision row says who it was. */
function knownOf(rooms: Rooms, { event, key_id, provider, operation }: CallRecord): Known {
  const { event_id, organisation, project, agent, role, run, turn, correlation_id, call_id, occurrence } = event
  const { customer, params } = event
  const resolved = rooms.catalogue.resolve(provider, operation)
  return {
    event_id,
    provider,
    key: {
      id: key_id,
      organisation,
      agent: { id: agent ?? '', ...defined({ role }) },
      budgets: [],
      created_at: '',
      ...defined({ project }),
    },
    facts: defined({ amount: reservedFor(event), customer }),
    ...defined({
      operation: isRefusal(resolved) ? undefined : resolved,
      run,
      turn,
      correlation_id,
      call_id,
      occurrence,
      params,
    }),
  }
}

/** Reservations that the counters hold and the ledger does not: settled by the ledger's word, or released for good. */
async function reconcile({ journal, counters }: Rooms, settings: RecoverySettings): Promise<number> {
  let released = 0
  for (const organisation of await journal.organisations())
    for (const { event_id } of await counters.stale(organisation, settings.unclaimed_ms))
      if (await settleByLedger({ journal, counters }, organisation, event_id)) released++
  return released
}

async function settleByLedger(
  { journal, counters }: Pick<Rooms, 'journal' | 'counters'>,
  organisation: string,
  event: EventId,
): Promise<boolean> {
  const spent = await journal.settled(event)
  if (spent) return counters.settle(organisation, event, spent, 0)
  return (await journal.void(event, organisation)) && counters.settle(organisation, event, [], 0)
}
