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
  const json = canonicalJson(event)
  return { json, leafHash: leafHashOf(json) }
}

export function eventOf(row: EventRow): AuditEvent {
  const event: Record<string, unknown> = {}
  for (const column of Object.keys(row)) {
    const value = row[column]
    if (value === null || column === 'leaf_hash') continue
    if (column === 'cost') event.cost = Number(value)
    else if (column === 'ts') event.ts = new Date(value as string | Date).toISOString()
    else event[column] = value
  }
  return event as unknown as AuditEvent
}

/** As the database's `write_batch` takes it. The canonical JSON is the row: what was hashed is what is stored. */
export const argumentOf = ({ json, leafHash }: SealedRow, item: number): string =>
  `${json.slice(0, -1)},"item":${item},"leaf_hash":"\\${hex(leafHash)}"}`

/** SHA-256(0x00 ‖ canonical JSON): the leaf of RFC 6962. */
const leafHashOf = (json: string): Buffer => hash('sha256', `\0${json}`, 'buffer')

/** Of an event as it was written or as it is read back: the two are the same. */
export const leafHash = (event: AuditEvent): Buffer => rowOf(event).leafHash

export const hex = (bytes: Uint8Array): string => `\\x${Buffer.from(bytes).toString('hex')}`
