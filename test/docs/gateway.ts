/** A gateway for a page to speak to, with the sandbox as its provider. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Session, stepsOf } from './console.ts'

export interface Home {
  readonly path: string
  remove(): void
}

/** A folder of its own: empty, or with a policy in it. */
export function home(policy?: string): Home {
  const path = mkdtempSync(join(tmpdir(), 'countersign-docs-home-'))
  if (policy !== undefined) {
    mkdirSync(join(path, 'rego'))
    writeFileSync(join(path, 'rego/tool_decision.rego'), policy)
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** The gateway that the page's commands find, as a process of its own; it ends with the session. */
export async function serve(session: Session, settings: string): Promise<void> {
  const command = `COUNTERSIGN_SANDBOX=1 ${settings} npx countersign serve`
  const printed = await session.play({
    command,
    expected: 'agent plane  http://127.0.0.1:8787  …\n…\npolicy …',
    line: 0,
  })
  if (printed !== null) throw new Error(`the gateway did not start:\n${printed}`)
}

export interface Differs {
  readonly at: string
  readonly command: string
  readonly page: string
  readonly printed: string
}

/** Plays a page's sessions, and answers where the page does not say what happened. */
export async function differences(session: Session, page: string, markdown: string): Promise<readonly Differs[]> {
  const differs: Differs[] = []
  for (const step of stepsOf(markdown)) {
    if (/^make\b/.test(step.command)) continue
    const printed = await session.play(step)
    if (printed !== null)
      differs.push({ at: `${page}:${step.line}`, command: step.command, page: step.expected, printed })
  }
  return differs
}
