/** An audit event as a row and back, and the leaf hash that binds the two. */
import { hash } from 'node:crypto'
import { canonicalJson } from '../../model/canonical.ts'
import type { AuditEvent } from '../../model/event.ts'

/** A row as pg reads it, or as PostgreSQL turns it into JSON: a time is a Date or text, a bigint text or a number. */
export type EventRow = { readonly [column: string]: unknown }

/** What is written: the event's canonical JSON and its leaf hash. Made once, however often a batch goes again. */
export interface SealedRow {
  readonly json: string
  readonly leafHash: Buffer
}

export function rowOf(event: AuditEvent): SealedRow {
  const json = canonicalJson(normalised(event))
  return { json, leafHash: leafHashOf(json) }
}

export function eventOf(row: EventRow): AuditEvent {
  const event: Record<string, unknown> = {}
  for (const [column, value] of Object.entries(row)) {
    if (value === null || column === 'leaf_hash') continue
    event[column] = column === 'cost' ? Number(value) : value
  }
  return normalised(event as unknown as AuditEvent)
}

/** SHA-256(0x00 ‖ canonical JSON): the leaf of RFC 6962. */
const leafHashOf = (json: string): Buffer => hash('sha256', `\0${json}`, 'buffer')

/** Of an event as it was written or as it is read back: the two are the same. */
export const leafHash = (event: AuditEvent): Buffer => rowOf(event).leafHash

export const hex = (bytes: Uint8Array): string => `\\x${Buffer.from(bytes).toString('hex')}`

/** Times to the millisecond in UTC, which is what the column keeps. */
const normalised = (event: AuditEvent): AuditEvent => ({ ...event, ts: new Date(event.ts).toISOString() })
