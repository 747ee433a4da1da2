/** One PostgreSQL and one Redis for the whole run; a test that stops or kills a service starts one of its own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { migrate, openPostgres } from '../../src/store/postgres/index.ts'
import { freshDatabase } from './database.ts'
import { startPostgres } from './postgres.ts'
import { startRedis } from './redis.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The server; take a database of your own with `freshDatabase`. */
    readonly postgresUrl: string
    /** A migrated, empty database to copy: `freshDatabase(inject('postgresUrl'), inject('postgresTemplate'))`. */
    readonly postgresTemplate: string
    /** Shared by all files: use an organisation of your own, and never flush it. */
    readonly redisUrl: string
    /** A folder for compiled policies: `sharePolicyCache`. */
    readonly policyCache: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()])
  const template = await freshDatabase(postgres.url)
  const opened = openPostgres({ url: template.url })
  await migrate(opened.db)
  await opened.close()
  project.provide('postgresUrl', postgres.url)
  project.provide('postgresTemplate', new URL(template.url).pathname.slice(1))
  project.provide('redisUrl', redis.url)
  const policyCache = mkdtempSync(join(tmpdir(), 'countersign-policies-'))
  project.provide('policyCache', policyCache)
  return async () => {
    await Promise.all([postgres.remove(), redis.remove()])
    rmSync(policyCache, { recursive: true, force: true })
  }
}
