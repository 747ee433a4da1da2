/**
 * Opens the embedded database: PGlite behind pg's own pool, so that it takes the same statements on the same path. It has one
 * session, hence a pool of one. Every commit is in the operating system's hands before it is answered, so a killed process
 * loses nothing; PGlite does not call fsync, so a machine that loses power may. Who needs more sets DATABASE_URL.
 */
import { existsSync, openAsBlob, renameSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { createPgConfig } from '@electric-sql/pglite/node-postgres'
import pg from 'pg'
import { lockDataDir } from './data-dir-lock.ts'
import { migrate } from './migrate.ts'
import { assumeAppRole, kyselyOver, type Opened } from './opened.ts'

interface PgliteOptions {
  /** Made if it is not there. One process at a time. */
  readonly dataDir: string
  /** What `prepareDataDir` wrote: a first start unpacks it, which takes a fraction of what making a database does. */
  readonly preparedFile?: string
}

/** The database's files lie beside the lock, in a folder of their own: PostgreSQL wants its folder for itself. */
const FOLDER = 'pglite'

const SETTINGS = {
  /** Commits are handed to the operating system before they are answered. */
  relaxedDurability: false,
  /** A start fills the buffers with zeros before anything else; PostgreSQL's own 128 MB are a tenth of a second. */
  startParams: [...PGlite.defaultStartParams, '-c', 'shared_buffers=32MB'],
}

export async function openPglite({ dataDir, preparedFile }: PgliteOptions): Promise<Opened> {
  const unlock = lockDataDir(dataDir)
  try {
    const folder = join(dataDir, FOLDER)
    if (!existsSync(folder)) await makeDatabase(folder, preparedFile)
    const lite = await PGlite.create({ ...SETTINGS, dataDir: folder })
    return openedOver(lite, unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

/** Made beside its place and then moved there whole: a start that is killed on the way is as if it had never been. */
async function makeDatabase(folder: string, preparedFile: string | undefined): Promise<void> {
  const unfinished = `${folder}.new`
  rmSync(unfinished, { recursive: true, force: true })
  const prepared = preparedFile !== undefined && existsSync(preparedFile)
  const lite = await PGlite.create({
    ...SETTINGS,
    dataDir: unfinished,
    ...(prepared ? { loadDataDir: await openAsBlob(preparedFile) } : {}),
  })
  await lite.close()
  renameSync(unfinished, folder)
}

/** Writes a migrated, empty database, packed, to `outFile`: what `openPglite` takes as its `preparedFile`. */
export async function prepareDataDir(outFile: string): Promise<void> {
  const lite = await PGlite.create()
  const opened = openedOver(lite, () => {})
  try {
    await migrate(opened.db)
    const packed = await lite.dumpDataDir('gzip')
    await writeFile(outFile, Buffer.from(await packed.arrayBuffer()))
  } finally {
    await opened.close()
  }
}

function openedOver(lite: PGlite, unlock: () => void): Opened {
  const pool = new pg.Pool({ ...createPgConfig(lite), max: 1, idleTimeoutMillis: 0, onConnect: assumeAppRole })
  const db = kyselyOver(pool)
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    await db.destroy()
    await pool.end()
    await lite.close()
    unlock()
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
