/** Names of things. Ids are UUIDv7 or prefixed, so that a reader of a log line knows what one is. */
import { randomBytes } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'

declare const eventId: unique symbol
/** The id of one call, for ever: a UUIDv7. The upstream idempotency key derives from it. */
export type EventId = string & { readonly [eventId]: true }

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

export const newEventId = (): EventId => uuidv7() as EventId

export const isEventId = (text: string): text is EventId => UUID.test(text)

/** The one key that the provider ever sees for this event. */
export const upstreamKey = (id: EventId): string => `cs-${id}`

/** `vk_…`, `apr_…`, `gw_…`: 120 bits, URL-safe. */
export const newId = (prefix: string): string => `${prefix}_${randomBytes(15).toString('base64url')}`
