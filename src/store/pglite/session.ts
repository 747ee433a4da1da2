/** The embedded database's one session, as pg's client takes it: a stream of PostgreSQL's wire protocol to PGlite's thread. */
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { Worker } from 'node:worker_threads'
import { lockDataDir } from './data-dir-lock.ts'

interface PgliteOptions {
  /** Made if it is not there. One process at a time. */
  readonly dataDir: string
  /** A packed database: a first start unpacks it, which takes a fraction of what making one does. */
  readonly preparedFile?: string
}

export interface PgliteThread {
  /** For the `stream` of a pg client. The database has one session, so one stream at a time. */
  stream(): Duplex
  /** Ends the thread, and gives the folder back. */
  close(): Promise<void>
}

/** The database's files lie beside the lock, in a folder of their own: PostgreSQL wants its folder for itself. */
export const FOLDER = 'pglite'

/** Resolves when the database takes questions. Rejects where another process has the folder, or PGlite does not start. */
export async function startPglite({ dataDir, preparedFile }: PgliteOptions): Promise<PgliteThread> {
  const unlock = lockDataDir(dataDir)
  const worker = new Worker(new URL('./thread.mjs', import.meta.url), {
    workerData: { folder: join(dataDir, FOLDER), preparedFile },
    execArgv: [],
  })
  const ended = new Promise<Error>((resolve) => {
    worker.once('error', resolve)
    worker.once('exit', () => resolve(new Error('the embedded database has ended')))
  }).finally(unlock)
  const failure = await Promise.race([new Promise((ready) => worker.once('message', () => ready(null))), ended])
  if (failure !== null) throw failure
  return {
    stream: () => new Session(worker, ended),
    close: async () => {
      worker.postMessage('close')
      await ended
    },
  }
}

class Session extends Duplex {
  readonly #worker: Worker
  readonly #answer = (bytes: Uint8Array): void => void this.push(bytes)

  constructor(worker: Worker, ended: Promise<Error>) {
    super()
    this.#worker = worker
    void ended.then((reason) => this.destroy(reason))
  }

  /** What pg asks of a socket. */
  connect(): void {
    this.#worker.on('message', this.#answer)
    process.nextTick(() => this.emit('connect'))
  }
  setNoDelay(): void {}
  ref(): void {}
  unref(): void {}

  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#ask(new Uint8Array(chunk))
    done()
  }
  /** The messages of one query, which pg writes together, go in one. */
  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    this.#ask(new Uint8Array(Buffer.concat(chunks.map(({ chunk }) => chunk))))
    done()
  }
  override _final(done: () => void): void {
    done()
    this.destroy()
  }
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#worker.off('message', this.#answer)
    done(error)
  }

  #ask(bytes: Uint8Array<ArrayBuffer>): void {
    this.#worker.postMessage(bytes, [bytes.buffer])
  }
}
