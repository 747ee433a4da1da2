/** The catalogue's names as grants may write them: one mapping between actions, operations, groups and resources. */
import type { NamesOfService, ServiceNames } from '../model/names.ts'
import type { Operation } from '../model/operation.ts'
import type { Catalogue } from './catalogue.ts'
import { closest } from './closest.ts'

export function serviceNames(catalogue: Pick<Catalogue, 'providers' | 'operations'>): ServiceNames {
  const known = new Map(
    catalogue.providers.map(({ name }) => [name, namesOf(name, catalogue.operations(name))] as const),
  )
  return {
    of: (service) => known.get(service),
    closestService: (service) => closest(service, known.keys()),
  }
}

function namesOf(provider: string, operations: readonly Operation[]): NamesOfService {
  const aliases = new Map(operations.flatMap(({ name, aliases }) => aliases.map((alias) => [alias, name] as const)))
  const short = (action: string): string => action.slice(provider.length + 1)
  const actions = new Set(operations.flatMap(({ name, group, action }) => [name, group, action, short(action)]))
  const resources = new Set(operations.map(({ resource }) => resource))
  /** What lacks only its beginning (`/v1/refunds`) is meant whole, however far that is in letters. */
  const nearest = (text: string, among: ReadonlySet<string>): string | undefined =>
    closest(text, among) ?? [...among].find((name) => name.endsWith(text))
  return {
    actions,
    resources,
    canonical: (action) => aliases.get(action) ?? action,
    closestAction: (name) => nearest(name, new Set([...actions, ...aliases.keys()])),
    closestResource: (name) => nearest(name, resources),
  }
}
