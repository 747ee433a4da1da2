import { Command } from 'commander'
import { readConfig } from '../config.ts'
import { migrate, type Opened } from '../store/postgres/index.ts'
import { nameOf, openDatabase, pendingMigrations } from './database.ts'
import { CliError, note, print, waiting } from './output.ts'

export const migrateCommand = new Command('migrate')
  .description('bring the database of DATABASE_URL, or the embedded one, to this version; `serve` does so as well')
  .option('--dry-run', 'list what would be applied, and change nothing')
  .action(async ({ dryRun }: { dryRun?: true }) => {
    const config = readConfig(process.env, process.cwd())
    const name = nameOf(config)
    const work = async (opened: Opened) => (dryRun ? pendingMigrations(opened) : migrate(opened.db))
    const done = await waiting(
      dryRun ? 'looking' : 'migrating',
      within(() => openDatabase(config), work, name),
    )
    for (const migration of done) print(`${dryRun ? 'would apply' : 'applied'} ${migration}`)
    if (done.length === 0) note(`${name} is up to date`)
  })
  .addHelpText(
    'after',
    '\nExamples:\n  $ DATABASE_URL=postgres://… countersign migrate --dry-run\n  $ DATABASE_URL=postgres://… countersign migrate',
  )

async function within<Result>(
  open: () => Promise<Opened>,
  work: (opened: Opened) => Promise<Result>,
  name: string,
): Promise<Result> {
  let opened: Opened | undefined
  try {
    opened = await open()
    return await work(opened)
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    throw new CliError(
      `${name}: ${message || code}`,
      'Check that it runs, that nobody else holds it, and that its role may create tables; `countersign doctor` tells more.',
    )
  } finally {
    await opened?.close()
  }
}
