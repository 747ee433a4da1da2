/**
 * The closed set of refusals. HTTP problems, SDK errors and the pages under docs/errors derive from this one table.
 * A refusal is returned, never thrown; a fault is thrown. Both fail closed.
 */
import type { Reason } from './decision.ts'

interface RefusalKind {
  readonly status: number
  readonly title: string
  /** What the reader can do about it. */
  readonly fix: string
  /** Whether the same call, with the same call id, may be sent again and could then pass. */
  readonly retryable: boolean
}

export const REFUSALS = {
  malformed_request: {
    status: 400,
    title: 'The request cannot be read',
    fix: 'Send one well-formed JSON object (or form, on a drop-in surface) with each name once.',
    retryable: false,
  },
  bad_path: {
    status: 400,
    title: 'The path is not in plain form',
    fix: 'Send the path as the provider documents it: no dot segments, no encoded slashes, no doubled slashes.',
    retryable: false,
  },
  invalid_params: {
    status: 400,
    title: 'The params do not fit the operation',
    fix: 'Correct the params that the detail names; GET /v1/operations shows the schema.',
    retryable: false,
  },
  request_too_large: {
    status: 413,
    title: 'The request is too large',
    fix: 'Send less: the limits are in docs/reference/limits.md.',
    retryable: false,
  },
  request_timeout: {
    status: 408,
    title: 'The request did not come whole in time',
    fix: 'Send the body at once, without pauses; nothing was reserved or sent, so the same call may be sent again.',
    retryable: true,
  },
  missing_credential: {
    status: 401,
    title: 'No vault key was sent',
    fix: 'Send Authorization: Bearer cs_… with a vault key of this gateway.',
    retryable: false,
  },
  unknown_key: {
    status: 401,
    title: 'This is not a vault key of this gateway',
    fix: 'Create one with `countersign keys create`, and send that.',
    retryable: false,
  },
  live_provider_key: {
    status: 401,
    title: "A provider's own key was sent",
    fix: "Never give an agent a provider's key. Roll that key at the provider, and send a vault key (cs_…).",
    retryable: false,
  },
  admin_token_refused: {
    status: 401,
    title: 'The admin token does not work here',
    fix: 'Agents use vault keys; the admin token works on the admin plane only.',
    retryable: false,
  },
  expired_key: {
    status: 401,
    title: 'The vault key has expired',
    fix: 'Create a new key, with a ttl that fits the run.',
    retryable: false,
  },
  revoked_key: {
    status: 401,
    title: 'The vault key was revoked',
    fix: 'Ask whoever runs the gateway why, and for a new key.',
    retryable: false,
  },
  wrong_provider: {
    status: 403,
    title: 'The vault key is not for this provider',
    fix: 'Use a key whose providers include this one.',
    retryable: false,
  },
  unknown_provider: {
    status: 404,
    title: 'No such provider',
    fix: 'GET /v1/operations lists what this key may call.',
    retryable: false,
  },
  unknown_operation: {
    status: 403,
    title: 'The operation is not in the catalogue',
    fix: 'GET /v1/operations lists what this key may call; what is unlisted is refused.',
    retryable: false,
  },
  run_mismatch: {
    status: 403,
    title: 'The vault key belongs to another run',
    fix: 'Leave the run out, or use a vault key of that run.',
    retryable: false,
  },
  policy_denied: {
    status: 403,
    title: 'Policy denies this call',
    fix: 'Add an allow rule for it to tool_decision.rego, or ask whoever runs the gateway to.',
    retryable: false,
  },
  approval_required: {
    status: 403,
    title: 'A human must approve this very call',
    fix: 'Approvals are not set up at this gateway: whoever runs it can, or can relax the hold rule.',
    retryable: false,
  },
  spend_cap_exceeded: {
    status: 403,
    title: 'The call would pass a spend cap',
    fix: 'Wait for the window to end, spend less, or have the cap raised.',
    retryable: false,
  },
  price_unknown: {
    status: 403,
    title: 'What the call would cost cannot be known',
    fix: 'Name an amount and a currency, or describe in the catalogue where they are.',
    retryable: false,
  },
  currency_without_rate: {
    status: 403,
    title: "The currency has no rate into the budget's",
    fix: 'Add the rate to `rates` in countersign.yaml.',
    retryable: false,
  },
  call_id_conflict: {
    status: 409,
    title: 'The call id was used with other params',
    fix: 'Give each call an id of its own; repeat an id only with the same params.',
    retryable: false,
  },
  duplicate_call: {
    status: 409,
    title: 'The same call was made before',
    fix: 'Use the answer of the first event; for a wanted twin say so: `occurrence: 2`.',
    retryable: false,
  },
  call_in_flight: {
    status: 409,
    title: 'The first call of this kind is still running',
    fix: 'Ask GET /v1/calls/{event_id} for its outcome, or send the same call again.',
    retryable: true,
  },
  outcome_unknown: {
    status: 502,
    title: 'The provider did not answer, so the outcome is unknown',
    fix: 'Do not send it as a new call. GET /v1/calls/{event_id} tells its outcome once it is known; the same call id joins it.',
    retryable: true,
  },
  upstream_failed: {
    status: 502,
    title: 'The provider was not reached, surely without effect',
    fix: 'Send it again when the provider can be reached.',
    retryable: true,
  },
  enrichment_failed: {
    status: 422,
    title: 'The object that the call names could not be read',
    fix: 'Check the id in the params; policy cannot judge what it cannot see.',
    retryable: false,
  },
  credential_missing: {
    status: 503,
    title: 'The gateway holds no credential for this provider',
    fix: "Set the provider's key at the gateway (STRIPE_API_KEY for stripe); `countersign doctor` tells.",
    retryable: false,
  },
  policy_unavailable: {
    status: 503,
    title: 'Policy could not be evaluated',
    fix: "See the gateway's log; `countersign policy build` checks the policy.",
    retryable: true,
  },
  policy_refused: {
    status: 422,
    title: 'The policy was refused, and the one in force stays',
    fix: 'Mend the policy where the detail says; `countersign policy build` tells the same without a gateway.',
    retryable: false,
  },
  audit_unavailable: {
    status: 503,
    title: 'The audit store cannot be written',
    fix: 'Bring the database back: no audit store, no call.',
    retryable: true,
  },
  counters_unavailable: {
    status: 503,
    title: 'The spend counters cannot be reached',
    fix: 'Bring Redis back: no counters, no costed call.',
    retryable: true,
  },
  counters_rehydrating: {
    status: 503,
    title: 'The spend counters are being rebuilt from the ledger',
    fix: 'Send the same call again in a second.',
    retryable: true,
  },
  draining: {
    status: 503,
    title: 'The gateway is shutting down',
    fix: 'Send the same call again; another gateway, or this one restarted, will take it.',
    retryable: true,
  },
  not_found: {
    status: 404,
    title: 'There is nothing here',
    fix: 'GET /openapi.json lists the routes.',
    retryable: false,
  },
  internal_fault: {
    status: 500,
    title: 'The gateway failed',
    fix: "Look up the event id in the gateway's log.",
    retryable: true,
  },
} as const satisfies Record<string, RefusalKind>

export type RefusalCode = keyof typeof REFUSALS

export interface Refusal {
  readonly refused: true
  readonly code: RefusalCode
  /** What was wrong with this very request: what, where, why. Never a secret. */
  readonly detail: string
  /** Overrides the table's fix where a more exact one is known. */
  readonly fix?: string
  readonly reasons?: readonly Reason[]
}

export const refuse = (
  code: RefusalCode,
  detail: string,
  more: { readonly fix?: string; readonly reasons?: readonly Reason[] } = {},
): Refusal => ({ refused: true, code, detail, ...more })

export const isRefusal = (value: unknown): value is Refusal =>
  typeof value === 'object' && value !== null && (value as { refused?: unknown }).refused === true
