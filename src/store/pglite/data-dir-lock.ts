/**
 * One process at a time in an embedded data directory: PGlite keeps no lock of its own, and two would ruin the files.
 * The lock is a file with the holder's process id; the lock of a process that is no more is taken over.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const NAME = 'countersign.pid'

/** Returns what gives the directory back. Throws where a living process has it. */
export function lockDataDir(dataDir: string): () => void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const lock = join(dataDir, NAME)
  const own = join(dataDir, `${NAME}.${process.pid}`)
  writeFileSync(own, `${process.pid} ${startOf(process.pid)}\n`)
  try {
    // A link is made whole or not at all, so nobody reads a lock that is half written.
    for (let attempt = 0; attempt < 3; attempt += 1) {
      if (linked(own, lock)) return () => rmSync(lock, { force: true })
      const text = read(lock)
      const holder = holderOf(text)
      if (holder !== undefined) throw new Error(inUse(dataDir, holder))
      removeStale(lock, text)
    }
    throw new Error(inUse(dataDir, undefined))
  } finally {
    rmSync(own, { force: true })
  }
}

function linked(own: string, lock: string): boolean {
  try {
    linkSync(own, lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Moved away before it is judged once more: another process may have taken the stale lock over since it was read. */
function removeStale(lock: string, text: string): void {
  const moved = `${lock}.${process.pid}.stale`
  try {
    renameSync(lock, moved)
    if (read(moved) !== text) linked(moved, lock)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  } finally {
    rmSync(moved, { force: true })
  }
}

/** The living process that a lock of this text belongs to. */
function holderOf(text: string): number | undefined {
  const [pid, start] = text.trim().split(' ')
  const holder = Number(pid)
  if (!Number.isInteger(holder) || holder <= 0) return undefined
  try {
    process.kill(holder, 0)
  } catch (error) {
    // EPERM: alive, and somebody else's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined
  }
  // The id of a process that died may be another's by now, in a container most of all.
  return startOf(holder) === (start ?? '') ? holder : undefined
}

/** When the process started, in the kernel's ticks; empty where the system does not tell. */
function startOf(pid: number): string {
  const stat = read(`/proc/${pid}/stat`)
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const inUse = (dataDir: string, holder: number | undefined): string =>
  `the data directory ${dataDir} is in use by another process${holder === undefined ? '' : ` (${holder})`}. The embedded ` +
  'database serves one process: stop that one, give this one a COUNTERSIGN_DATA_DIR of its own, or set DATABASE_URL.'
