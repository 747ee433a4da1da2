/** Intents, outcomes and audit rows in their plainest form, for a test to vary. */

import type { AuditEvent } from '../../src/model/event.ts'
import type { EventId } from '../../src/model/id.ts'
import { newEventId } from '../../src/model/id.ts'
import type { Identity, IntentRecord, OutcomeRecord } from '../../src/model/journal.ts'

export const auditEvent = (event_id: EventId, more: Partial<AuditEvent> = {}): AuditEvent => ({
  id: newEventId(),
  event_id,
  kind: 'decision',
  ts: '2026-11-21T09:00:00.123Z',
  organisation: 'acme',
  project: 'project-billing',
  agent: 'billing-reconciler-1',
  role: 'support-tier-1',
  run: 'conv-42',
  turn: 7,
  key_id: 'vk_1',
  provider: 'stripe',
  operation: 'create_refund',
  action: 'stripe:refunds:create',
  resource: 'stripe.com/v1/refunds',
  decision: 'allow',
  reasons: [{ code: 'small_refund', message: 'at most 50.00 USD', rule: 'tool_decision.allow' }],
  params: { charge: 'ch_123', amount: 500, metadata: { b: 'é', a: null } },
  cost: 500,
  currency: 'usd',
  policy_revision: 'sha256:0',
  latency_ms: 0.1,
  tags: { team: 'billing' },
  ...more,
})

export const intentOf = (event_id: EventId, more: Partial<IntentRecord> = {}): IntentRecord => ({
  event_id,
  organisation: 'acme',
  key_id: 'vk_1',
  provider: 'stripe',
  operation: 'create_refund',
  gateway_id: 'gw_1',
  identities: [],
  held: [],
  generation: 0,
  sealed_request: Buffer.from([0, 255, 1, 254]),
  ...more,
})

export const callId = (name: string, digest = 'digest'): Identity => ({
  kind: 'call_id',
  name: `call_id|${name}`,
  digest,
})

export const fingerprint = (name: string, window_s = 86_400): Identity => ({
  kind: 'fingerprint',
  name: `fingerprint|${name}`,
  digest: 'digest',
  window_s,
})

export const outcomeOf = (event_id: EventId, more: Partial<OutcomeRecord> = {}): OutcomeRecord => ({
  event_id,
  kind: 'succeeded',
  spent: [],
  ...more,
})
