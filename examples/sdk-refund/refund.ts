/** One refund through the gateway. COUNTERSIGN_URL and COUNTERSIGN_VAULT_KEY say where and as whom. */
import { BudgetExceededError, Countersign, DeniedError, UnknownOutcomeError } from '@countersign/sdk'

const [charge = 'ch_123', amount = '500'] = process.argv.slice(2)
const agent = new Countersign()

try {
  const refund = await agent.callProvider<{ id: string }>(
    'stripe',
    'create_refund',
    { charge, amount: Number(amount) },
    // The name of this very refund: sent again under it, it is answered from the record.
    { callId: `refund-${charge}-${amount}` },
  )
  console.log(`${refund.replayed ? 'refunded before' : 'refunded'}: ${refund.data.id}, event ${refund.eventId}`)
} catch (error) {
  if (error instanceof BudgetExceededError) console.log(`over a cap: ${error.detail}`)
  else if (error instanceof DeniedError) console.log(`denied: ${error.detail}`)
  else if (error instanceof UnknownOutcomeError) console.log(`not known yet: ask for event ${error.eventId} later`)
  else throw error
}
