/**
 * Opens the embedded database: PGlite behind pg's own pool, so that it takes the same statements on the same path. It has one
 * session, hence a pool of one. Every commit is in the operating system's hands before it is answered, so a killed process
 * loses nothing; PGlite does not call fsync, so a machine that loses power may. Who needs more sets DATABASE_URL.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { FOLDER, type PgliteThread, startPglite } from '../pglite/index.ts'
import { migrate } from './migrate.ts'
import { assumeAppRole, kyselyOver, type Opened } from './opened.ts'

/** Closing it ends the thread. */
export async function openPglite(starting: Promise<PgliteThread>): Promise<Opened> {
  const thread = await starting
  const pool = new pg.Pool({
    stream: thread.stream,
    user: 'postgres',
    database: 'postgres',
    max: 1,
    idleTimeoutMillis: 0,
    onConnect: assumeAppRole,
  })
  // A thread that ended is told to whoever asks next; the event alone would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  const db = kyselyOver(pool)
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    await db.destroy()
    await pool.end()
    await thread.close()
  }
  return {
    engine: 'pglite',
    db,
    reads: pool,
    writes: pool,
    pumps: 1,
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

/** Writes a migrated, empty database, packed, to `outFile`: what `openPglite` takes as its `preparedFile`. */
export async function prepareDataDir(outFile: string): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'countersign-prepared-'))
  try {
    const opened = await openPglite(startPglite({ dataDir }))
    try {
      await migrate(opened.db)
    } finally {
      await opened.close()
    }
    const { PGlite } = await import('@electric-sql/pglite')
    const lite = await PGlite.create({ dataDir: join(dataDir, FOLDER) })
    const packed = await lite.dumpDataDir('gzip')
    await writeFile(outFile, Buffer.from(await packed.arrayBuffer()))
    await lite.close()
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}
