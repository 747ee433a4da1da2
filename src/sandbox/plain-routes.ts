/** The routes that most resources have, and have alike: a page of them, one by its id, and new tags for one. */
import type { AccountState } from './account.ts'
import type { Collection, StripeObject } from './collection.ts'
import { page } from './list.ts'
import { type Metadata, metadata } from './params.ts'
import { change, type Route } from './route.ts'

type Of<T extends StripeObject> = (account: AccountState) => Collection<T>

/** `filters` as in `page`. */
export const listed = <T extends StripeObject>(
  path: string,
  answers: string,
  of: Of<T>,
  filters?: readonly (keyof T & string)[],
): Route => ({
  method: 'GET',
  path,
  answers,
  list: true,
  run: ({ account, params, path }) => page(of(account), path, params, filters),
})

/** `param`: as the error calls the id that is not there. */
export const retrieved = <T extends StripeObject>(path: string, answers: string, of: Of<T>, param: string): Route => ({
  method: 'GET',
  path,
  answers,
  run: ({ account, ids }) => of(account).get(ids[0]!, param),
})

export const tagged = <T extends StripeObject & { metadata: Metadata }>(
  path: string,
  answers: string,
  of: Of<T>,
): Route => ({
  method: 'POST',
  path,
  answers,
  run(call) {
    const one = of(call.account).get(call.ids[0]!, 'id')
    one.metadata = metadata(call.params, one.metadata)
    call.changed(change(`${answers}.updated`, one))
    return one
  },
})
