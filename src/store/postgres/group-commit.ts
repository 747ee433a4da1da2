/**
 * Group commit: whatever waits when a pump is free goes to the database together, so that one fsync serves many calls.
 * With one caller a write leaves in the same moment; with many, a batch grows for as long as the one before it takes.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'

export interface Write {
  /** The call that it starts or ends, if it does: a batch holds each once, so that the order of two is the queue's. */
  readonly key?: string
  /** Rough size in bytes: bounds a batch. */
  readonly bytes: number
}

/** What became of one write of a batch: its result, or that it must go again, in a later batch. */
export type Written<R> = { readonly kind: 'done'; readonly result: R } | { readonly kind: 'again' }

export interface GroupCommitOptions<W extends Write, R> {
  /** Batches under way at once, each on a connection of its own. */
  readonly pumps: number
  /** Where one batch is under way, the next waits for it until so many wait: fewer, fuller batches cost all sides less. */
  readonly crowd: number
  readonly batchMax: number
  readonly batchBytesMax: number
  /** Writes all or none; one answer for each, in order. */
  readonly write: (batch: readonly W[]) => Promise<readonly Written<R>[]>
  /**
   * Whether the fault lies in what was written: then each write of the batch is tried alone, and only the bad one fails.
   * Any other fault is the store's: whatever waits behind is refused at once, rather than each batch after its own time-out.
   */
  readonly isDataFault: (fault: unknown) => boolean
}

interface Waiting<W, R> {
  readonly write: W
  readonly resolve: (result: R) => void
  readonly reject: (fault: unknown) => void
}

export interface GroupCommit<W, R> {
  add(write: W): Promise<R>
  /** Resolves when everything that was added has been answered. */
  drained(): Promise<void>
}

export function createGroupCommit<W extends Write, R>(options: GroupCommitOptions<W, R>): GroupCommit<W, R> {
  const { pumps, crowd, batchMax, batchBytesMax, write, isDataFault } = options
  let queue: Waiting<W, R>[] = []
  let running = 0
  let crowded = false
  let idle: (() => void)[] = []

  function take(): Waiting<W, R>[] {
    const batch: Waiting<W, R>[] = []
    const left: Waiting<W, R>[] = []
    const keys = new Set<string>()
    let bytes = 0
    for (const waiting of queue) {
      const { key, bytes: size } = waiting.write
      const full = batch.length >= batchMax || (batch.length > 0 && bytes + size > batchBytesMax)
      if (full || (key !== undefined && keys.has(key))) {
        left.push(waiting)
        continue
      }
      if (key !== undefined) keys.add(key)
      bytes += size
      batch.push(waiting)
    }
    queue = left
    return batch
  }

  async function commit(batch: readonly Waiting<W, R>[]): Promise<void> {
    try {
      const answers = await write(batch.map((waiting) => waiting.write))
      const again: Waiting<W, R>[] = []
      batch.forEach((waiting, index) => {
        const answer = answers[index]!
        if (answer.kind === 'done') waiting.resolve(answer.result)
        else again.push(waiting)
      })
      queue = [...again, ...queue]
    } catch (fault) {
      if (isDataFault(fault)) {
        if (batch.length === 1) batch[0]!.reject(fault)
        else for (const waiting of batch) await commit([waiting])
        return
      }
      const refused = [...batch, ...queue]
      queue = []
      for (const waiting of refused) waiting.reject(fault)
    }
  }

  async function pump(): Promise<void> {
    running += 1
    for (;;) {
      // One turn of the event loop, so that callers whom the same turn woke or brought come along: fewer, fuller batches.
      if (crowded) await nextTurn()
      const batch = take()
      if (batch.length === 0) break
      crowded = batch.length > 1
      await commit(batch)
    }
    running -= 1
    if (running > 0) return
    for (const resolve of idle) resolve()
    idle = []
  }

  return {
    add: (item) =>
      new Promise<R>((resolve, reject) => {
        queue.push({ write: item, resolve, reject })
        if (running === 0 || (running < pumps && queue.length >= crowd)) void pump()
      }),
    drained: () => (running === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
  }
}
