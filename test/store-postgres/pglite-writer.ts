/** A process of its own that commits intents to an embedded database until it is killed, and says each one once it is committed. */
import { newEventId } from '../../src/model/id.ts'
import { startPglite } from '../../src/store/pglite/index.ts'
import { createJournal, migrate, openPglite } from '../../src/store/postgres/index.ts'
import { auditEvent, intentOf } from './records.ts'

async function main(dataDir: string): Promise<void> {
  const opened = await openPglite(startPglite({ dataDir }))
  await migrate(opened.db)
  const journal = createJournal(opened)
  for (;;) {
    const id = newEventId()
    await journal.commitIntent(intentOf(id), [auditEvent(id)])
    process.stdout.write(`${id}\n`)
  }
}

void main(process.argv[2]!)
