/** Stripe's own package, unmodified. The gateway stands where api.stripe.com was, and the vault key where the secret key was. */
import Stripe from 'stripe'

const gateway = new URL(process.env.COUNTERSIGN_URL ?? 'http://127.0.0.1:8787')
const stripe = new Stripe(process.env.COUNTERSIGN_VAULT_KEY ?? '', {
  protocol: 'http',
  host: gateway.hostname,
  port: gateway.port,
})

const [charge = 'ch_123', amount = '500'] = process.argv.slice(2)
try {
  const refund = await stripe.refunds.create({ charge, amount: Number(amount) })
  console.log(`refunded: ${refund.id}, ${refund.amount} ${refund.currency}`)
} catch (error) {
  if (!(error instanceof Stripe.errors.StripeError)) throw error
  // A refusal has Stripe's shape. Its code is Countersign's, and its request id is the audit event.
  console.log(`${error.constructor.name} ${error.statusCode} ${error.code}, event ${error.requestId}`)
}
