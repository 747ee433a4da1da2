/** The body of a call by name, and the same facts in the headers of a drop-in call, checked by one schema. */
import type { ValidateFunction } from 'ajv'
import type { JsonObject } from '../model/operation.ts'
import { type Refusal, refuse } from '../model/refusal.ts'

export interface Envelope {
  readonly params?: JsonObject
  readonly call_id?: string
  readonly occurrence?: number
  readonly run?: string
  readonly turn?: number
  readonly correlation_id?: string
  readonly dry_run?: boolean
}

export function envelopeOf(tree: unknown, valid: ValidateFunction): Envelope | Refusal {
  if (valid(tree)) return tree as Envelope
  const { instancePath, message, params } = valid.errors![0]!
  const field = instancePath.slice(1) || params.additionalProperty
  return refuse(
    'malformed_request',
    field ? `The field ${JSON.stringify(field)} of the call: ${message}.` : `The call: ${message}.`,
    { fix: 'A call is {"params": {…}} with optional call_id, occurrence, run, turn, correlation_id and dry_run.' },
  )
}

type Header = (name: string) => string | undefined

/** `Idempotency-Key` counts as a call id: it is the caller's own name for the call, and never goes upstream. */
export function envelopeOfHeaders(header: Header, valid: ValidateFunction): Envelope | Refusal {
  const number = (text: string | undefined) => (text !== undefined && /^\d{1,7}$/.test(text) ? Number(text) : text)
  const facts = {
    call_id: header('countersign-call-id') ?? header('idempotency-key'),
    occurrence: number(header('countersign-occurrence')),
    run: header('countersign-run'),
    turn: number(header('countersign-turn')),
    correlation_id: header('countersign-correlation-id'),
  }
  return envelopeOf(Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== undefined)), valid)
}
