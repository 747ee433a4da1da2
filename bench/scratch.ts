/** One folder for whatever a run leaves behind; it goes away with the run. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let folder: string | undefined

export function scratchFolder(): string {
  if (folder) return folder
  const made = mkdtempSync(join(tmpdir(), 'countersign-bench-'))
  process.once('exit', () => rmSync(made, { recursive: true, force: true }))
  folder = made
  return made
}

export const freshFolder = (name: string): string => mkdtempSync(join(scratchFolder(), `${name}-`))
