/** Objects of one kind, in the order in which they came to be. */
import { resourceMissing } from './error.ts'

export interface StripeObject {
  readonly id: string
  readonly object: string
  /** Retrievable as a stub, and absent from lists. */
  deleted?: true
}

export class Collection<T extends StripeObject> {
  /** As error messages call it: `customer`, `payment_intent`. */
  readonly name: string
  readonly #objects = new Map<string, { object: T; position: number }>()
  readonly #ordered: T[] = []

  constructor(name: string) {
    this.name = name
  }

  insert(object: T): T {
    const known = this.#objects.get(object.id)
    const position = known?.position ?? this.#ordered.length
    this.#ordered[position] = object
    this.#objects.set(object.id, { object, position })
    return object
  }

  find(id: string): T | undefined {
    return this.#objects.get(id)?.object
  }

  /** Throws 404 `resource_missing`, naming the param that named it. */
  get(id: string, param: string): T {
    const object = this.find(id)
    if (object === undefined) throw resourceMissing(this.name, id, param)
    return object
  }

  /** As `get`, and a deleted one is missing too. */
  live(id: string, param: string): T {
    const object = this.get(id, param)
    if (object.deleted) throw resourceMissing(this.name, id, param)
    return object
  }

  /** Throws 404 `resource_missing` for a cursor that is not here. */
  positionOf(id: string, param: string): number {
    this.get(id, param)
    return this.#objects.get(id)!.position
  }

  get length(): number {
    return this.#ordered.length
  }

  at(position: number): T | undefined {
    return this.#ordered[position]
  }
}
