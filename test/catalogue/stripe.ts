/** The catalogue as it is shipped, and short ways to its operations. */
import { join } from 'node:path'
import { loadCatalogue } from '../../src/catalogue/index.ts'
import type { JsonObject, Operation, Params } from '../../src/model/operation.ts'
import { isRefusal } from '../../src/model/refusal.ts'

export const PROVIDERS = join(import.meta.dirname, '../../schemas/providers')
export const catalogue = loadCatalogue(PROVIDERS)

export function operation(name: string): Operation {
  const found = catalogue.resolve('stripe', name)
  if (isRefusal(found)) throw new Error(found.detail)
  return found
}

export function valid(name: string, params: JsonObject): Params {
  const found = catalogue.validate(operation(name), params)
  if (isRefusal(found)) throw new Error(found.detail)
  return found
}
