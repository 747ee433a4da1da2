/**
 * A gateway as a process of its own, to be killed. It says what it does on stdout, one JSON object a line: `ready` with its
 * addresses, and `standing` with the run of a call that has come to the point where its run says it must stand still.
 * A kill while calls stand at a point is a kill at that point, without a race.
 */
import { readConfig } from '../../src/config.ts'
import { startGateway } from '../../src/main.ts'
import { standingAt } from './points.ts'

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

const gateway = await startGateway(readConfig(process.env, process.cwd()), {
  around: standingAt((run) => say({ standing: run })),
})
say({ ready: { agent_url: gateway.agent_url, admin_url: gateway.admin_url } })
process.on('SIGTERM', () => {
  say({ draining: true })
  void gateway.close().then(() => process.exit(0))
})
