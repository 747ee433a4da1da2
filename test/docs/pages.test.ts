/** The pages for operators, agents and auditors show what happens. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { blocksOf, openSession, ROOT, type Session } from './console.ts'
import { differences, type Home, home, serve } from './gateway.ts'

const STARTER = readFileSync(join(ROOT, 'rego/tool_decision.rego'), 'utf8')
const RULE = blocksOf(readFileSync(join(ROOT, 'README.md'), 'utf8')).find(({ language }) => language === 'rego')!.text
const pageOf = (name: string): string => readFileSync(join(ROOT, name), 'utf8')

let folder: Home | undefined
let session: Session | undefined

afterEach(async () => {
  await session?.close()
  folder?.remove()
  session = folder = undefined
})

/** A gateway with the refund rule, and a vault key in the session that may use it. */
async function opened(): Promise<Session> {
  folder = home(`${STARTER}\n${RULE}\n`)
  session = await openSession({ cwd: folder.path })
  await serve(session, '')
  await session.play({ command: 'npx countersign keys create --agent a --role support-tier-1', expected: '…', line: 0 })
  await session.play({ command: 'export COUNTERSIGN_VAULT_KEY=cs_…', expected: '', line: 0 })
  return session
}

describe('a page', () => {
  it('for operators begins with an empty folder', async () => {
    folder = home()
    session = await openSession({ cwd: folder.path })
    expect(await differences(session, 'docs/operators.md', pageOf('docs/operators.md'))).toEqual([])
  }, 180_000)

  it.each(['docs/agents.md', 'docs/auditor.md'])(
    '%s has sessions that go as it says',
    async (page) => {
      expect(await differences(await opened(), page, pageOf(page))).toEqual([])
    },
    180_000,
  )

  it('for agents has code that runs as it stands', async () => {
    const shell = await opened()
    const { agent } = shell.ports
    const scratch = join(ROOT, '.cache/docs-pages')
    mkdirSync(scratch, { recursive: true })
    const programs = [...blocksOf(pageOf('docs/agents.md')), ...blocksOf(pageOf('sdk/typescript/README.md'))]
    const failed: unknown[] = []
    for (const [at, { language, text, line }] of programs.entries()) {
      if (language !== 'ts') continue
      const file = join(scratch, `block-${at}.ts`)
      writeFileSync(
        file,
        text.replaceAll('8787', String(agent)).replaceAll("'cs_…'", 'process.env.COUNTERSIGN_VAULT_KEY'),
      )
      const command = `COUNTERSIGN_URL=http://127.0.0.1:${agent} npx tsx ${file} && echo ran`
      const printed = await shell.play({ command, expected: '…\nran', line })
      if (printed !== null) failed.push({ line, printed })
    }
    rmSync(scratch, { recursive: true })
    expect(failed).toEqual([])
  }, 180_000)
})
