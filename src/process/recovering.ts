/** What the process does by itself: recovery, and the sign that this gateway lives. */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { recover } from '../recover.ts'
import type { Rooms } from '../rooms.ts'
import type { Metrics } from '../server/index.ts'
import { faultOf } from './log.ts'

const RECOVERY_BATCH = 50

interface Repeated {
  /** Waits for the pass that is under way; none follows. */
  stop(): Promise<void>
}

export function keepRecovering(rooms: Rooms, config: Config, metrics: Metrics, log: Logger): Repeated {
  const { every_ms, silent_ms, unclaimed_ms } = config.recovery
  const recovery = repeat(every_ms, async () => {
    try {
      const { finished, released } = await recover(rooms, { silent_ms, unclaimed_ms, batch: RECOVERY_BATCH })
      metrics.recovered.inc({ kind: 'finished' }, finished)
      metrics.recovered.inc({ kind: 'released' }, released)
      if (finished + released > 0) log.info({ finished, released }, 'recovered')
    } catch (error) {
      log.error(faultOf(error), 'recovery could not run; it will try again')
    }
  })
  // Beside the passes: one may wait long for a provider, and the calls of a gateway that is not heard of are taken over.
  const pulse = repeat(every_ms, async () => {
    try {
      await rooms.journal.heartbeat(rooms.gateway_id)
      rooms.pulse.at = Date.now()
    } catch (error) {
      log.error(faultOf(error), 'no sign of life')
    }
  })
  return {
    async stop() {
      await recovery.stop()
      await pulse.stop()
    },
  }
}

/** Now, and again so long after each pass has ended. The work never rejects. */
function repeat(every_ms: number, work: () => Promise<void>): Repeated {
  let timer: NodeJS.Timeout | undefined
  const run = async (): Promise<void> => {
    await work()
    timer = setTimeout(() => (pass = run()), every_ms).unref()
  }
  let pass = run()
  return {
    async stop() {
      clearTimeout(timer)
      await pass
      clearTimeout(timer)
    },
  }
}
