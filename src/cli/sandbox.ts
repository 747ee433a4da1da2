import { Command } from 'commander'
import { startSandbox } from '../sandbox/index.ts'
import { note } from './output.ts'

export const sandboxCommand = new Command('sandbox')
  .description('start the stateful Stripe sandbox by itself, to point STRIPE_UPSTREAM_URL at')
  .option('--port <number>', 'port on 127.0.0.1', '12111')
  .action(async ({ port }: { port: string }) => {
    const sandbox = await startSandbox({ port: Number(port) })
    note(`sandbox ready on ${sandbox.url}`)
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => void sandbox.close().then(() => process.exit(0)))
  })
