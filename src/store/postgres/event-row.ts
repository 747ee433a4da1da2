/** An audit event as a row and back, and the leaf hash that binds the two. */
import { createHash } from 'node:crypto'
import type { AuditEvent } from '../../model/event.ts'

/** A row as pg reads it, or as PostgreSQL turns it into JSON: a time is a Date or text, a bigint text or a number. */
export type EventRow = { readonly [column: string]: unknown }

/** What is written: the event in normal form, with its leaf hash as PostgreSQL's hex. */
export function rowOf(event: AuditEvent): EventRow {
  const normal = normalised(event)
  return { ...normal, leaf_hash: hex(leafHash(normal)) }
}

export function eventOf(row: EventRow): AuditEvent {
  const event: Record<string, unknown> = {}
  for (const [column, value] of Object.entries(row)) {
    if (value === null || column === 'leaf_hash') continue
    event[column] = column === 'cost' ? Number(value) : value
  }
  return normalised(event as unknown as AuditEvent)
}

/** SHA-256(0x00 ‖ canonical JSON): the leaf of RFC 6962. The event must be as it is read back, or as `rowOf` normalises it. */
export const leafHash = (event: AuditEvent): Buffer =>
  createHash('sha256').update('\0').update(canonicalJson(event)).digest()

export const hex = (bytes: Uint8Array): string => `\\x${Buffer.from(bytes).toString('hex')}`

/** Times to the millisecond in UTC, which is what the column keeps. */
const normalised = (event: AuditEvent): AuditEvent => ({ ...event, ts: new Date(event.ts).toISOString() })

/** Names sorted by code unit, absent members left out, no white space: RFC 8785 for what JSON.parse can give. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}
