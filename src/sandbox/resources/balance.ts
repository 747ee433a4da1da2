/** The balance: captured charges less refunds, by currency. */
import type { Route } from '../route.ts'

export const balanceRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/balance',
    answers: 'balance',
    run: ({ account }) => ({
      object: 'balance',
      available: [...account.balance].map(([currency, amount]) => ({
        amount,
        currency,
        source_types: { card: amount },
      })),
      pending: [...account.balance.keys()].map((currency) => ({ amount: 0, currency, source_types: { card: 0 } })),
      livemode: false,
    }),
  },
]
