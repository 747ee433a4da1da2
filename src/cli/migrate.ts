import { Command } from 'commander'
import { type Config, readConfig } from '../config.ts'
import { migrate, type Opened, pendingMigrations } from '../store/postgres/index.ts'
import { isMade, nameOf, openDatabase } from './database.ts'
import { CliError, note, print, waiting } from './output.ts'

export const migrateCommand = new Command('migrate')
  .description('bring the database of DATABASE_URL, or the embedded one, to this version; `serve` does so as well')
  .option('--dry-run', 'list what would be applied, and change nothing')
  .action(async ({ dryRun }: { dryRun?: true }) => {
    const config = readConfig(process.env, process.cwd())
    if (dryRun && !isMade(config))
      return note(`${nameOf(config)} is not there yet; the first start makes it, up to date`)
    const work = async (opened: Opened) => (dryRun ? pendingMigrations(opened.db) : migrate(opened.db))
    const done = await waiting(dryRun ? 'looking' : 'migrating', within(config, work))
    for (const migration of done) print(`${dryRun ? 'would apply' : 'applied'} ${migration}`)
    if (done.length === 0) note(`${nameOf(config)} is up to date`)
  })
  .addHelpText(
    'after',
    '\nExamples:\n  $ DATABASE_URL=postgres://… countersign migrate --dry-run\n  $ DATABASE_URL=postgres://… countersign migrate',
  )

async function within<Result>(config: Config, work: (opened: Opened) => Promise<Result>): Promise<Result> {
  let opened: Opened | undefined
  try {
    opened = await openDatabase(config)
    return await work(opened)
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    throw new CliError(
      `${nameOf(config)}: ${message || code}`,
      config.database_url
        ? 'Check that it runs, and that its role may create tables and roles; `countersign doctor` tells more.'
        : 'A gateway that runs has migrated it already; otherwise `countersign doctor` tells more.',
    )
  } finally {
    await opened?.close()
  }
}
