/** Products and their prices. */

import { missingParam } from '../error.ts'
import { newId } from '../id.ts'
import { INTERVALS, type Price, type Product } from '../objects.ts'
import {
  metadata,
  optionalForm,
  optionalInteger,
  optionalOneOf,
  optionalText,
  requiredCurrency,
  requiredInteger,
  requiredText,
} from '../params.ts'
import { listed, retrieved } from '../plain-routes.ts'
import { change, type Route } from '../route.ts'

export const product = (now: number, fields: Partial<Product> & { name: string }): Product => ({
  id: newId('prod'),
  object: 'product',
  active: true,
  created: now,
  default_price: null,
  description: null,
  livemode: false,
  metadata: {},
  ...fields,
})

export const price = (
  now: number,
  fields: Partial<Price> & { currency: string; product: string; unit_amount: number },
): Price => ({
  id: newId('price'),
  object: 'price',
  active: true,
  created: now,
  livemode: false,
  metadata: {},
  recurring: null,
  type: fields.recurring ? 'recurring' : 'one_time',
  ...fields,
})

export const productRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/products',
    answers: 'product',
    run(call) {
      const name = requiredText(call.params, 'name')
      const description = optionalText(call.params, 'description') ?? null
      const made = product(call.now, { name, description, metadata: metadata(call.params) })
      call.account.products.insert(made)
      call.changed(change('product.created', made))
      return made
    },
  },
  listed<Product>('/v1/products', 'product', ({ products }) => products, ['active']),
  retrieved('/v1/products/{id}', 'product', ({ products }) => products, 'id'),
  {
    method: 'POST',
    path: '/v1/prices',
    answers: 'price',
    run(call) {
      const { account, params, now } = call
      const currency = requiredCurrency(params)
      const unit_amount = requiredInteger(params, 'unit_amount', 0)
      const repeats = optionalForm(params, 'recurring')
      const recurring = repeats && {
        interval: optionalOneOf(repeats, 'interval', INTERVALS),
        interval_count: optionalInteger(repeats, 'interval_count', 1) ?? 1,
      }
      if (recurring && recurring.interval === undefined) throw missingParam('recurring[interval]')
      const name = optionalText(optionalForm(params, 'product_data') ?? {}, 'name')
      const of = optionalText(params, 'product')
      if (of === undefined && name === undefined) throw missingParam('product')
      const tags = metadata(params)
      const sold =
        of === undefined ? account.products.insert(product(now, { name: name! })) : account.products.get(of, 'product')

      const made = price(now, {
        currency,
        unit_amount,
        product: sold.id,
        recurring: recurring ? { ...recurring, interval: recurring.interval! } : null,
        metadata: tags,
      })
      account.prices.insert(made)
      call.changed(change('price.created', { id: made.id, amount: unit_amount, currency }))
      return made
    },
  },
  listed<Price>('/v1/prices', 'price', ({ prices }) => prices, ['product', 'currency', 'active']),
  retrieved('/v1/prices/{price}', 'price', ({ prices }) => prices, 'price'),
]
