/** The route table: every family's rows, found by method and path. */

import { accountRoutes } from './resources/accounts.ts'
import { balanceRoutes } from './resources/balance.ts'
import { chargeRoutes } from './resources/charges.ts'
import { customerRoutes } from './resources/customers.ts'
import { invoiceRoutes } from './resources/invoices.ts'
import { issuingRoutes } from './resources/issuing.ts'
import { paymentIntentRoutes } from './resources/payment-intents.ts'
import { paymentMethodRoutes } from './resources/payment-methods.ts'
import { productRoutes } from './resources/products.ts'
import { refundRoutes } from './resources/refunds.ts'
import { subscriptionRoutes } from './resources/subscriptions.ts'
import type { Route } from './route.ts'

const ROUTES: readonly Route[] = [
  ...accountRoutes,
  ...balanceRoutes,
  ...chargeRoutes,
  ...customerRoutes,
  ...invoiceRoutes,
  ...issuingRoutes,
  ...paymentIntentRoutes,
  ...paymentMethodRoutes,
  ...productRoutes,
  ...refundRoutes,
  ...subscriptionRoutes,
]

export interface Found {
  readonly route: Route
  readonly ids: readonly string[]
}

/** Literal paths are found at once; templates by method, length and first word, then part by part. */
const literal = new Map<string, Found>()
const templates = new Map<string, { route: Route; parts: readonly string[] }[]>()

const bucket = (method: string, parts: readonly string[]) => `${method} ${parts.length} ${parts[2]}`
const isHole = (part: string) => part.startsWith('{')

for (const route of ROUTES) {
  const parts = route.path.split('/')
  if (!parts.some(isHole)) {
    literal.set(`${route.method} ${route.path}`, { route, ids: [] })
    continue
  }
  const key = bucket(route.method, parts)
  templates.set(key, [...(templates.get(key) ?? []), { route, parts }])
}

export function findRoute(method: string, path: string): Found | undefined {
  const exact = literal.get(`${method} ${path}`)
  if (exact) return exact
  const asked = path.split('/')
  for (const { route, parts } of templates.get(bucket(method, asked)) ?? []) {
    if (!parts.every((part, index) => (isHole(part) ? asked[index] !== '' : part === asked[index]))) continue
    return { route, ids: asked.filter((_, index) => isHole(parts[index]!)) }
  }
  return undefined
}
