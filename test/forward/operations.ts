/** Operations and intents as the catalogue and the audit room would hand them over. */
import { createUpstream, STRIPE, type Time, type Upstream, type UpstreamLimits } from '../../src/forward/index.ts'
import { type EventId, newEventId } from '../../src/model/id.ts'
import type { Intent, WireRequest } from '../../src/model/intent.ts'
import type { Operation } from '../../src/model/operation.ts'

const base = {
  provider: 'stripe',
  aliases: [],
  group: 'payments.create',
  action: 'stripe:charges:create',
  resource: 'stripe.com/v1/charges',
  params: { type: 'object' },
  summary: '',
  cost: 'amount',
  redact: [],
} as const

export const OPERATIONS = {
  create_charge: {
    ...base,
    name: 'create_charge',
    effect: 'write',
    method: 'POST',
    path: '/v1/charges',
    pathParams: [],
    retry: 'keyed',
  },
  retrieve_charge: {
    ...base,
    name: 'retrieve_charge',
    effect: 'read',
    method: 'GET',
    path: '/v1/charges/{charge}',
    pathParams: ['charge'],
    retry: 'natural',
  },
  delete_customer: {
    ...base,
    name: 'delete_customer',
    effect: 'write',
    method: 'DELETE',
    path: '/v1/customers/{customer}',
    pathParams: ['customer'],
    retry: 'natural',
  },
  send_message: {
    ...base,
    name: 'send_message',
    effect: 'write',
    method: 'POST',
    path: '/2010-04-01/Messages.json',
    pathParams: [],
    retry: 'never',
  },
} as const satisfies Record<string, Operation>

const REQUESTS: Record<keyof typeof OPERATIONS, WireRequest> = {
  create_charge: {
    method: 'POST',
    path: '/v1/charges',
    content_type: 'application/x-www-form-urlencoded',
    body: 'amount=500&currency=usd&description=caf%C3%A9',
  },
  retrieve_charge: { method: 'GET', path: '/v1/charges/ch_1' },
  delete_customer: { method: 'DELETE', path: '/v1/customers/cus_1' },
  send_message: {
    method: 'POST',
    path: '/2010-04-01/Messages.json',
    content_type: 'application/x-www-form-urlencoded',
    body: 'To=%2B15005550006&Body=hello',
  },
}

/** An intent as if it were committed. `age_ms`: how long ago its event began. */
export function committed(name: keyof typeof OPERATIONS, age_ms = 0): Intent {
  const hex = (Date.now() - age_ms).toString(16).padStart(12, '0')
  const event_id = `${hex.slice(0, 8)}-${hex.slice(8)}${newEventId().slice(13)}` as EventId
  return { event_id, organisation: 'acme', operation: OPERATIONS[name], request: REQUESTS[name] } as unknown as Intent
}

export const SECRET = 'sk_test_planted_credential_4242'

export const LIMITS: Partial<UpstreamLimits> = {
  response_bytes_max: 10_000,
  retries: { count: 2, delay_ms: 400, delay_ms_max: 1_000, retry_after_ms_max: 5_000 },
}

export interface Rig {
  readonly upstream: Upstream
  /** What was waited between attempts, milliseconds. */
  readonly waits: readonly number[]
  readonly logged: readonly string[]
}

/** An upstream whose waits take no time: they move its clock instead. */
export function rig(
  origin: string,
  limits: Partial<UpstreamLimits> = {},
  credential: () => Promise<string | null> = async () => SECRET,
): Rig {
  const waits: number[] = []
  const logged: string[] = []
  let ahead = 0
  const time: Time = {
    now: () => Date.now() + ahead,
    random: () => 0.5,
    async sleep(ms) {
      waits.push(ms)
      ahead += ms
    },
  }
  const upstream = createUpstream({
    origin,
    rules: STRIPE,
    headers: { 'stripe-version': '2026-08-26' },
    credential,
    log: { warn: (fields, message) => logged.push(JSON.stringify({ ...fields, message })) },
    limits: { ...LIMITS, ...limits },
    time,
  })
  return { upstream, waits, logged }
}
