/** What grants may call things: the names of a provider come from its catalogue, those of any other service are free. */

export interface ServiceNames {
  /** Undefined for a service that is no provider of the catalogue. */
  of(service: string): NamesOfService | undefined
  /** The provider whose name is nearly this one. */
  closestService(service: string): string | undefined
}

export interface NamesOfService {
  /** Actions in full (stripe:refunds:create) and within the service (refunds:create), operations and groups; no aliases. */
  readonly actions: ReadonlySet<string>
  readonly resources: ReadonlySet<string>
  /** The operation that an alias stands for; any other name as it is. */
  canonical(action: string): string
  closestAction(name: string): string | undefined
  closestResource(name: string): string | undefined
}
