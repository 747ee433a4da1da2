/** Stripe's pages: newest first, `limit` 1–100 (10), `starting_after` and `ending_before`, `has_more`. */
import type { Collection, StripeObject } from './collection.ts'
import { invalidParam } from './error.ts'
import type { Form } from './form.ts'
import { optionalForm, optionalInteger, optionalText } from './params.ts'

interface Page<T> {
  readonly object: 'list'
  readonly url: string
  readonly has_more: boolean
  readonly data: readonly T[]
}

const LIMIT = 10
const LIMIT_MAX = 100

/** `filters` are params that must equal the field of the same name, and `created` its range. */
export function page<T extends StripeObject>(
  collection: Collection<T>,
  url: string,
  params: Form,
  filters: readonly (keyof T & string)[] = [],
  keep: (object: T) => boolean = () => true,
): Page<T> {
  const limit = optionalInteger(params, 'limit', 1) ?? LIMIT
  if (limit > LIMIT_MAX) {
    throw invalidParam(`This value must be less than or equal to ${LIMIT_MAX}.`, 'limit', 'parameter_invalid_integer')
  }
  const after = optionalText(params, 'starting_after')
  const before = optionalText(params, 'ending_before')
  const wanted = filters.flatMap((name) => {
    const value = optionalText(params, name)
    return value === undefined ? [] : [[name, value] as const]
  })
  const inRange = createdRange(params)
  const fits = (object: T) =>
    !object.deleted &&
    keep(object) &&
    inRange(object) &&
    wanted.every(([name, value]) => String(object[name]) === value)

  const step = before === undefined ? -1 : 1
  let position = collection.length - 1
  if (after !== undefined) position = collection.positionOf(after, 'starting_after') - 1
  if (before !== undefined) position = collection.positionOf(before, 'ending_before') + 1

  const data: T[] = []
  let more = false
  for (; position >= 0 && position < collection.length; position += step) {
    const object = collection.at(position)!
    if (!fits(object)) continue
    if (data.length === limit) {
      more = true
      break
    }
    data.push(object)
  }
  if (step === 1) data.reverse()
  return { object: 'list', url, has_more: more, data }
}

function createdRange(params: Form): (object: StripeObject) => boolean {
  if (params.created === undefined) return () => true
  const created = (object: StripeObject) => (object as { created?: number }).created ?? 0
  if (typeof params.created === 'string') {
    const exact = optionalInteger(params, 'created', 0)
    return (object) => created(object) === exact
  }
  const range = optionalForm(params, 'created') ?? {}
  const bound = (name: string) => optionalInteger(range, name, 0)
  const [gt, gte, lt, lte] = [bound('gt'), bound('gte'), bound('lt'), bound('lte')]
  return (object) =>
    (gt === undefined || created(object) > gt) &&
    (gte === undefined || created(object) >= gte) &&
    (lt === undefined || created(object) < lt) &&
    (lte === undefined || created(object) <= lte)
}
