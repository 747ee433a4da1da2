/** Folders with a policy in them, as its author has them, and the commands run there. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import { type Ran, run } from '../cli/run.ts'

export const EXAMPLE = fileURLToPath(new URL('../../examples/policy-repo/', import.meta.url))
export const PRECEDENCE = fileURLToPath(new URL('precedence/', import.meta.url))

const made: string[] = []
afterAll(() => {
  for (const path of made) rmSync(path, { recursive: true, force: true })
})

/** Gone when the tests are over. */
export function holding(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(tmpdir(), 'countersign-policy-cli-'))
  made.push(path)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), content)
  }
  return path
}

export const policy = (cwd: string, ...args: readonly string[]): Promise<Ran> => run(['policy', ...args], { cwd })
