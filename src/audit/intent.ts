/** The one door to `Intent`: what is committed here may leave, and nothing else. */
import type { AuditEvent } from '../model/event.ts'
import type { EventId } from '../model/id.ts'
import type { Intent, WireRequest } from '../model/intent.ts'
import type { IntentCommit, IntentRecord, Journal } from '../model/journal.ts'
import type { Operation } from '../model/operation.ts'

export interface IntentDraft extends Omit<IntentRecord, 'event_id' | 'organisation' | 'provider' | 'operation'> {
  readonly event_id: EventId
  readonly organisation: string
  readonly operation: Operation
  readonly request: WireRequest
}

export async function commitIntent(
  journal: Journal,
  draft: IntentDraft,
  rows: readonly AuditEvent[],
): Promise<Intent | Exclude<IntentCommit, { kind: 'committed' }>> {
  const { operation, request, ...record } = draft
  const commit = await journal.commitIntent(
    { ...record, provider: operation.provider, operation: operation.name },
    rows,
  )
  return commit.kind === 'committed' ? reopenIntent(draft) : commit
}

/** For recovery: an intent that the journal holds already. The caller read it from there. */
export function reopenIntent(
  committed: Pick<IntentDraft, 'event_id' | 'organisation' | 'operation' | 'request'>,
): Intent {
  const { event_id, organisation, operation, request } = committed
  return { event_id, organisation, operation, request } as Intent
}
