/** The counters, rebuilt from the ledger. */
import type { Counters } from '../model/counters.ts'
import type { Journal } from '../model/journal.ts'

/** Long enough for a large ledger, short enough to wait out a gateway that died over it. */
const LEASE_MS = 5_000
const WAIT_MS_MIN = 20
const WAIT_MS_MAX = 100
/** Other gateways that keep beginning and never finish, or counters that keep losing what they are given: give up, and let the next call ask again. */
const PATIENCE_MS = 30_000

interface RehydrateInput {
  readonly counters: Counters
  readonly journal: Pick<Journal, 'raiseGeneration' | 'fold'>
}

/**
 * Makes `rehydrate(organisation, refused?)`, which resolves once the fence is open. `refused` is the generation of an
 * intent that the journal refused: a fence that is open under that one, or an older, is not open enough.
 *
 * The order is what makes it safe while calls go on. The generation is raised first: from there on the journal refuses
 * intents admitted before. Then the fold: it has every intent that was committed. Then the counters open under the new
 * generation. Two gateways that do it at once end with the later generation; the earlier one's calls are refused at their
 * intent and tried anew. One organisation is rehydrated once at a time in a process, and by a lease once among gateways.
 */
export function createRehydration({
  counters,
  journal,
}: RehydrateInput): (organisation: string, refused?: number) => Promise<void> {
  const running = new Map<string, Promise<void>>()

  const once = async (organisation: string, refused: number): Promise<void> => {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const turn = await counters.startRehydration(organisation, refused, LEASE_MS)
      if (turn === 'open') return
      if (turn === 'yours') {
        const generation = await journal.raiseGeneration(organisation)
        const { states, open } = await journal.fold(organisation)
        if (await counters.rehydrate(organisation, generation, states, open)) return
      }
      if (Date.now() > deadline) {
        throw new Error(`the counters of ${organisation} could not be rehydrated for ${PATIENCE_MS / 1_000} s`)
      }
      await new Promise((resume) => setTimeout(resume, WAIT_MS_MIN + Math.random() * (WAIT_MS_MAX - WAIT_MS_MIN)))
    }
  }

  return (organisation, refused = 0) => {
    const known = running.get(organisation)
    if (known !== undefined) return known
    const fresh = once(organisation, refused).finally(() => running.delete(organisation))
    running.set(organisation, fresh)
    return fresh
  }
}
