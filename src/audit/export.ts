/** A row as one line of JSONL: the fields that other programs look for first, then the rest. */
import type { AuditEvent } from '../model/event.ts'

const FIRST = [
  'ts',
  'agent',
  'project',
  'action',
  'resource',
  'decision',
  'reason',
  'http_status',
  'grant_id',
  'approved_by',
  'expires',
] as const

/** Every one of the first fields is there, null where the row has none, so that a column never moves. */
export function toLine(event: AuditEvent): string {
  const line: Record<string, unknown> = {}
  for (const name of FIRST) line[name] = event[name] ?? null
  return `${JSON.stringify(Object.assign(line, event))}\n`
}
