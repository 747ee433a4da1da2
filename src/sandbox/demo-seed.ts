import type { Seed } from './seed.ts'

/** What the demo and the documentation speak of. */
export const DEMO_SEED: Seed = {
  customers: [
    { id: 'cus_123', name: 'Example Books', email: 'books@example.com', default_source: 'card_123' },
    { id: 'cus_456', name: 'Example Coffee', email: 'coffee@example.com', default_source: 'card_456' },
    { id: 'cus_789', name: 'Example Declined', email: 'declined@example.com', default_source: 'card_789' },
  ],
  cards: [
    { id: 'card_123', customer: 'cus_123' },
    { id: 'card_456', customer: 'cus_456', brand: 'mastercard', last4: '4444' },
    { id: 'card_789', customer: 'cus_789', last4: '0341' },
  ],
  payment_methods: [{ id: 'pm_123', customer: 'cus_123' }],
  charges: [
    { id: 'ch_123', amount: 20_000, currency: 'usd', customer: 'cus_123', description: 'Order 1001' },
    { id: 'ch_124', amount: 5_000, currency: 'usd', customer: 'cus_123', description: 'Order 1002' },
    { id: 'ch_456', amount: 7_500, currency: 'eur', customer: 'cus_456', description: 'Order 1003' },
    { id: 'ch_457', amount: 3_000, currency: 'jpy', customer: 'cus_456', description: 'Order 1004' },
    { id: 'ch_125', amount: 12_000, currency: 'usd', customer: 'cus_123', payment_intent: 'pi_123' },
  ],
  payment_intents: [
    {
      id: 'pi_123',
      amount: 12_000,
      amount_received: 12_000,
      currency: 'usd',
      customer: 'cus_123',
      latest_charge: 'ch_125',
      payment_method: 'pm_123',
      status: 'succeeded',
    },
  ],
  products: [{ id: 'prod_123', name: 'Example subscription' }],
  prices: [
    {
      id: 'price_123',
      product: 'prod_123',
      currency: 'usd',
      unit_amount: 1_500,
      recurring: { interval: 'month', interval_count: 1 },
    },
  ],
  subscriptions: [{ id: 'sub_123', customer: 'cus_123', price: 'price_123' }],
  invoices: [{ id: 'in_123', customer: 'cus_123', currency: 'usd', amount: 4_200, status: 'open' }],
  accounts: [{ id: 'acct_123', type: 'express', email: 'connected@example.com' }],
  cardholders: [{ id: 'ich_123', name: 'Example Purchasing', type: 'company' }],
  issued_cards: [{ id: 'ic_123', cardholder: 'ich_123', currency: 'usd' }],
  authorizations: [{ id: 'iauth_123', card: 'ic_123', amount: 2_500 }],
}
