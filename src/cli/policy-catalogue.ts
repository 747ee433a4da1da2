/** What the catalogue knows of a call that a policy author wrote down. */
import { type Catalogue, loadCatalogue, serviceNames } from '../catalogue/index.ts'
import { PROVIDERS_DIR } from '../layout.ts'
import type { ServiceNames } from '../model/names.ts'
import type { Params } from '../model/operation.ts'
import { isRefusal } from '../model/refusal.ts'
import type { CallFields } from '../policy/index.ts'

let loaded: Catalogue | undefined
export const catalogue = (): Catalogue => {
  loaded ??= loadCatalogue(PROVIDERS_DIR)
  return loaded
}

let listed: ServiceNames | undefined
const services = (): ServiceNames => {
  listed ??= serviceNames(catalogue())
  return listed
}

/** What grants may name; the catalogue is loaded once a grant asks. */
export const names: ServiceNames = {
  of: (service) => services().of(service),
  closestService: (service) => services().closestService(service),
}

/** Group, effect, action and the rest of the operation, and the amount and customer that the params alone say. */
export function known({ provider, operation: name, params }: CallFields): CallFields {
  if (typeof provider !== 'string' || typeof name !== 'string') return {}
  const operation = catalogue().resolve(provider, name)
  if (isRefusal(operation)) return {}
  const { group, effect, action, resource, method, path } = operation
  const sent = isObject(params) ? (params as Params) : null
  const said = sent && { ...catalogue().facts(operation, sent, {}), guarded: catalogue().guarded(operation, sent) }
  return { group, effect, action, resource, method, path, ...said }
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
