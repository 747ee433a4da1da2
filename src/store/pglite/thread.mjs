// PGlite in a thread of its own: what it computes stalls no call, and it starts while the rest of the gateway loads. Plain
// JavaScript: a thread is run as the file lies on the disk, from the sources as from the package.
import { existsSync, openAsBlob, readFileSync, renameSync, rmSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'

/** How much of a function runs before V8 optimises it, by V8's own measure. */
const TIERING_BUDGET = 1_800_000

const SETTINGS = {
  pgliteWasmModule: compiled(),
  // Commits are handed to the operating system before they are answered.
  relaxedDurability: false,
  // A start fills the buffers with zeros before anything else; PostgreSQL's own 128 MB are a tenth of a second.
  startParams: [...PGlite.defaultStartParams, '-c', 'shared_buffers=32MB'],
}

/** pg reads the answers, so PGlite need not look up the types of arrays at every start. */
class Database extends PGlite {
  async _initArrayTypes() {}
}

/** @type {{ folder: string, preparedFile?: string }} */
const { folder, preparedFile } = workerData
const opening = openDatabase()

// Messages of PostgreSQL's wire protocol there and back. Listened to from the first moment: a thread that waits for nothing
// but V8 waits for all that V8 optimises in the background as well, which takes a tenth of a second.
parentPort.on('message', async (asked) => {
  const database = await opening
  if (asked === 'close') {
    await database.close()
    parentPort.close()
    return
  }
  const answered = await database.runExclusive(() => database.execProtocolRaw(asked))
  parentPort.postMessage(answered, [answered.buffer])
})
await opening
parentPort.postMessage('ready')

/**
 * With so large a budget that V8 optimises in the first seconds of work, rather than while PGlite starts and on the cores
 * that the start needs, which takes a fifth of a second. A module keeps the budget that it was compiled under.
 */
function compiled() {
  const bytes = readFileSync(new URL('pglite.wasm', import.meta.resolve('@electric-sql/pglite')))
  setFlagsFromString(`--wasm-tiering-budget=${200 * TIERING_BUDGET}`)
  try {
    return new WebAssembly.Module(bytes)
  } finally {
    setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`)
  }
}

async function openDatabase() {
  if (!existsSync(folder)) await makeDatabase()
  return Database.create({ ...SETTINGS, dataDir: folder })
}

/** Made beside its place and then moved there whole: a start that is killed on the way is as if it had never been. */
async function makeDatabase() {
  const unfinished = `${folder}.new`
  rmSync(unfinished, { recursive: true, force: true })
  const prepared = preparedFile !== undefined && existsSync(preparedFile)
  const made = await Database.create({
    ...SETTINGS,
    dataDir: unfinished,
    ...(prepared ? { loadDataDir: await openAsBlob(preparedFile) } : {}),
  })
  await made.close()
  renameSync(unfinished, folder)
}
