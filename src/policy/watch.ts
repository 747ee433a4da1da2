/**
 * Tells when something in folders changes. The file system's own notice comes at once, but not on every mount, and not for
 * folders below; so the folders are also looked over, as often as that stays cheap.
 */
import { type FSWatcher, watch } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** An editor or a deployment writes several files; they are one change. */
const SETTLE_MS = 100
const LOOK_EVERY_MS = 1_000
/** At most a fiftieth of one core for looking. */
const LOOK_SHARE = 50
const DEPTH_MAX = 8

/** Calls back after each change; never twice at once. Answers how to stop. */
export function watchFolders(folders: readonly (string | undefined)[], onChange: () => Promise<void>): () => void {
  const roots = folders.filter((folder) => folder !== undefined)
  const watchers: FSWatcher[] = []
  let settling: NodeJS.Timeout | undefined
  let looking: NodeJS.Timeout | undefined
  let stopped = false
  let seen: string | undefined

  const notice = () => {
    clearTimeout(settling)
    if (!stopped) settling = setTimeout(() => void onChange(), SETTLE_MS)
  }
  const look = async () => {
    const started = performance.now()
    const now = await fingerprint(roots)
    if (seen !== undefined && now !== seen) notice()
    seen = now
    const took = performance.now() - started
    if (!stopped) looking = setTimeout(() => void look(), Math.max(LOOK_EVERY_MS, took * LOOK_SHARE)).unref()
  }
  for (const root of roots) {
    try {
      const watcher = watch(root, { persistent: false }, notice)
      // A folder that is removed, or a mount without notices: looking remains.
      watcher.on('error', () => watcher.close())
      watchers.push(watcher)
    } catch {
      // Not there yet.
    }
  }
  void look()
  return () => {
    stopped = true
    clearTimeout(settling)
    clearTimeout(looking)
    for (const watcher of watchers) watcher.close()
  }
}

/** Names, sizes and times of every file below the folders. */
async function fingerprint(folders: readonly string[]): Promise<string> {
  const lines: string[] = []
  const walk = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
    for (const entry of entries) {
      const path = join(folder, entry.name)
      if (entry.isDirectory() && depth < DEPTH_MAX && entry.name !== 'node_modules') await walk(path, depth + 1)
      else if (/\.(rego|ya?ml|json)$/.test(entry.name)) {
        const found = await stat(path).catch(() => null)
        if (found) lines.push(`${path} ${found.size} ${found.mtimeMs} ${found.ino}`)
      }
    }
  }
  for (const folder of folders) await walk(folder, 0)
  return lines.sort().join('\n')
}
