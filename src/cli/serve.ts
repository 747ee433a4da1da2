import { Command } from 'commander'
import { readConfig } from '../config.ts'
import { startEmbedded } from '../process/embedded.ts'
import { note, waiting } from './output.ts'

export const serveCommand = new Command('serve')
  .description('start the gateway; it is configured by environment variables and countersign.yaml')
  .action(async () => {
    const config = readConfig(process.env, process.cwd())
    // The embedded database starts in its thread while the gateway's code loads.
    const embedded = config.database_url ? undefined : startEmbedded(config)
    embedded?.catch(() => undefined)
    const { startGateway } = await import('../main.ts')
    const gateway = await waiting('starting', startGateway(config, { embedded }))
    note(`agent plane  ${gateway.agent_url}  (routes at /docs)`)
    note(`admin plane  ${gateway.admin_url}`)
    if (gateway.sandbox_url) note(`sandbox      ${gateway.sandbox_url}`)
    if (gateway.admin_token_is_new)
      note(`admin token  ${gateway.admin_token}  (shown once; kept in ${config.data_dir})`)
    note(`policy       ${gateway.policy_revision}${config.policy_is_own ? '' : '  (the packaged starter: reads only)'}`)

    let stopping = false
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.on(signal, () => {
        if (stopping) process.exit(1)
        stopping = true
        note('draining: calls in flight finish and are recorded; again to stop at once')
        void gateway.close().then(() => process.exit(0))
      })
  })
