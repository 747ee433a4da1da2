import { Countersign, CountersignError, ProviderError, UnknownOutcomeError } from '@countersign/sdk'
import { Command, InvalidArgumentError } from 'commander'
import { defined } from '../model/defined.ts'
import { callParams } from './call-params.ts'
import { note, plain, print } from './output.ts'

interface CallOptions {
  readonly params?: string
  readonly callId?: string
  readonly occurrence?: number
  readonly run?: string
  readonly turn?: number
  readonly correlationId?: string
  readonly dryRun?: true
  readonly url?: string
  readonly key?: string
}

const EXIT_REFUSED = 1
const EXIT_UNKNOWN = 2

const count = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Write a whole number.')
  return Number(text)
}

export const callCommand = new Command('call')
  .description('make one call through the gateway, as an agent would')
  .argument('<provider>', 'stripe')
  .argument('<operation>', 'create_refund')
  .argument('[params...]', 'name=value (integers, true and false typed), or name:=JSON')
  .option('--params <json>', 'params as one JSON object; pairs go before it')
  .option('--call-id <id>', 'name of this call: sent again under it, the call is answered from the record')
  .option('--occurrence <number>', '2 for a wanted twin of an earlier call', count)
  .option('--run <run>', 'run that the call belongs to')
  .option('--turn <number>', 'where in the run', count)
  .option('--correlation-id <id>', 'joins one incident across systems')
  .option('--dry-run', 'decide only: nothing is reserved, nothing reaches the provider')
  .option('--url <url>', 'agent plane (default: COUNTERSIGN_URL, else 127.0.0.1 at COUNTERSIGN_PORT or 8787)')
  .option('--key <vault key>', 'vault key; better in COUNTERSIGN_VAULT_KEY, where the shell keeps no history of it')
  .action(async (provider: string, operation: string, pairs: string[], options: CallOptions) => {
    const params = callParams(pairs, options.params)
    try {
      await make(provider, operation, params, options)
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error
      if (error instanceof ProviderError) {
        const { eventId: event_id, status, body } = error
        print(JSON.stringify({ event_id, decision: 'allow', status, error: body }, null, 2))
      }
      note(inWords(error))
      process.exitCode = error instanceof UnknownOutcomeError ? EXIT_UNKNOWN : EXIT_REFUSED
    }
  })
  .addHelpText(
    'after',
    `
Prints the answer as JSON. Exits with 1 where the call was refused or failed, with 2 where its outcome is unknown.

Examples:
  $ countersign call stripe list_customers limit=3
  $ countersign call stripe create_refund charge=ch_123 amount=500 --call-id refund-7
  $ countersign call stripe create_refund charge=ch_123 'metadata:={"order":"7"}' --dry-run`,
  )

async function make(provider: string, operation: string, params: object, options: CallOptions): Promise<void> {
  const baseUrl = options.url ?? process.env.COUNTERSIGN_URL
  const agent = new Countersign({
    baseUrl: baseUrl || `http://127.0.0.1:${process.env.COUNTERSIGN_PORT || 8787}`,
    vaultKey: options.key,
    run: options.run,
  })
  const { callId, occurrence, turn, correlationId, dryRun } = options
  const result = await agent.callProvider(provider, operation, params as never, {
    ...{ callId, occurrence, turn, correlationId, dryRun },
  })
  const { eventId: event_id, decision, replayed, status, data, cost } = result
  const shown = dryRun
    ? { event_id, decision, dry_run: true, ...defined({ cost }) }
    : { event_id, decision, replayed, status, data, ...defined({ cost }) }
  print(JSON.stringify(shown, null, 2))
}

/** What, why, the fix, and where to look. Reasons carry what agents and providers wrote. */
function inWords({ code, detail, reasons, fix, eventId, callId }: CountersignError): string {
  const why = reasons.map(({ code, message, rule }) =>
    message === detail ? `  rule: ${rule}` : `  why: ${message || code}${rule && ` (${rule})`}`,
  )
  return [
    `${code}: ${detail}`,
    ...why,
    ...(fix ? [`  fix: ${fix}`] : []),
    ...(eventId ? [`  event: ${eventId}`] : []),
    ...(callId ? [`  call id: ${callId}`] : []),
  ]
    .map(plain)
    .join('\n')
}
