/** The embedded database as a folder: kept across restarts and kills, and one process at a time. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EventId, newEventId } from '../../src/model/id.ts'
import { startPglite } from '../../src/store/pglite/index.ts'
import { createJournal, migrate, openPglite, prepareDataDir } from '../../src/store/postgres/index.ts'
import { auditEvent, intentOf } from './records.ts'

describe('the embedded database', () => {
  let folder: string
  let preparedFile: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-embedded-'))
    preparedFile = join(folder, 'prepared.tar.gz')
    await prepareDataDir(preparedFile)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('unpacked from its prepared form is migrated already, and keeps what was written across a restart', async () => {
    const dataDir = join(folder, 'prepared')
    const id = newEventId()
    const first = await openPglite(startPglite({ dataDir, preparedFile }))
    expect(await migrate(first.db)).toEqual([])
    const journal = createJournal(first)
    await journal.commitIntent(intentOf(id), [auditEvent(id)])
    await journal.close()
    const second = await openPglite(startPglite({ dataDir, preparedFile }))
    expect(await createJournal(second).call(id)).toMatchObject({ event_id: id, state: 'running' })
    await second.close()
  })

  it('has everything that it answered when its process is killed, whose lock is taken over', async () => {
    const dataDir = join(folder, 'killed')
    const answered = await killAfter(50, dataDir)
    const opened = await openPglite(startPglite({ dataDir }))
    const journal = createJournal(opened)
    const calls = await Promise.all(answered.map((id) => journal.call(id)))
    expect(answered.length).toBeGreaterThanOrEqual(50)
    expect(calls.every((call) => call?.state === 'running')).toBe(true)
    await journal.close()
  }, 120_000)

  it('whose thread has ended refuses what it is asked, and says so', async () => {
    const dataDir = join(folder, 'ended')
    const thread = await startPglite({ dataDir, preparedFile })
    const opened = await openPglite(Promise.resolve(thread))
    const journal = createJournal(opened)
    await journal.ping()
    await thread.close()
    await expect(journal.ping()).rejects.toThrow('the embedded database has ended')
    await journal.close()
    expect(readdirSync(dataDir)).toEqual(['pglite'])
  })

  it('refuses a second process, and says which one has it', async () => {
    const dataDir = join(folder, 'shared')
    const opened = await openPglite(startPglite({ dataDir, preparedFile }))
    const refused = openPglite(startPglite({ dataDir, preparedFile }))
    await expect(refused).rejects.toThrow(`is in use by another process (${process.pid})`)
    await opened.close()
    const again = await openPglite(startPglite({ dataDir, preparedFile }))
    await again.close()
  })

  it.each([
    ['of a process that is no more', '4194305 12345'],
    ['of a process id that is another process now', `${process.pid} 1`],
    ['that is not readable as one', 'nonsense'],
    ['that is empty', ''],
  ])('takes over a lock %s', async (_, text) => {
    const dataDir = mkdtempSync(join(folder, 'stale-'))
    writeFileSync(join(dataDir, 'countersign.pid'), text)
    const opened = await openPglite(startPglite({ dataDir, preparedFile }))
    await opened.close()
    expect(readdirSync(dataDir)).toEqual(['pglite'])
  })

  it('starts over where an earlier first start was killed half way', async () => {
    const dataDir = join(folder, 'half')
    mkdirSync(join(dataDir, 'pglite.new'), { recursive: true })
    writeFileSync(join(dataDir, 'pglite.new', 'PG_VERSION'), '18')
    const opened = await openPglite(startPglite({ dataDir, preparedFile }))
    expect(await migrate(opened.db)).toEqual([])
    await opened.close()
    expect(existsSync(join(dataDir, 'pglite.new'))).toBe(false)
  })
})

/** Starts the writer, kills it once it has said so many, and returns all that it said. */
async function killAfter(count: number, dataDir: string): Promise<readonly EventId[]> {
  const writer = fileURLToPath(new URL('./pglite-writer.ts', import.meta.url))
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', writer, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    said += text
    if (said.split('\n').length > count) child.kill('SIGKILL')
  })
  await new Promise((resolve) => child.once('close', resolve))
  return said.split('\n').slice(0, -1) as EventId[]
}
