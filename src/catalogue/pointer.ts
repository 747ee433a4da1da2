/** Dotted pointers into trees: `items.*.price`. `*` is any index. */
import type { Json, JsonObject } from '../model/operation.ts'

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Every value that the pointer finds, in order; own properties only. */
export function findAll(root: Json | undefined, pointer: readonly string[]): Json[] {
  if (root === undefined || root === null) return []
  const [step, ...rest] = pointer
  if (step === undefined) return [root]
  if (step === '*') return Array.isArray(root) ? root.flatMap((each: Json) => findAll(each, rest)) : []
  if (Array.isArray(root)) return findAll((root as readonly Json[])[Number(step)], rest)
  return isObject(root) && Object.hasOwn(root, step) ? findAll(root[step], rest) : []
}
