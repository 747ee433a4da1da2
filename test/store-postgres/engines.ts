/** The two engines behind the one store, each opened on a migrated database of its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { startPglite } from '../../src/store/pglite/index.ts'
import { migrate, type Opened, openPglite, openPostgres } from '../../src/store/postgres/index.ts'
import { freshDatabase } from '../services/database.ts'

export interface Fresh {
  readonly opened: Opened
  remove(): Promise<void>
}

async function freshPostgres(): Promise<Fresh> {
  const database = await freshDatabase(inject('postgresUrl'), inject('postgresTemplate'))
  const opened = openPostgres({ url: database.url })
  return {
    opened,
    remove: async () => {
      await opened.close()
      await database.drop()
    },
  }
}

async function freshPglite(): Promise<Fresh> {
  const dataDir = mkdtempSync(join(tmpdir(), 'countersign-pglite-'))
  const opened = await openPglite(startPglite({ dataDir }))
  await migrate(opened.db)
  return {
    opened,
    remove: async () => {
      await opened.close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

export const ENGINES = [
  { engine: 'PostgreSQL', fresh: freshPostgres },
  { engine: 'PGlite', fresh: freshPglite },
] as const
