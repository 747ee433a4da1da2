/** Reading JSON that another program wrote: nothing is assumed of it. */
import type { Json, JsonObject } from './types.ts'

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const text = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined)

export const integer = (value: Json | undefined): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined

/** The object without its undefined members, as `exactOptionalPropertyTypes` wants it. */
export const present = <T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
