/** The pages for operators, agents and auditors show what happens. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blocksOf, openSession, ROOT, type Session } from './console.ts'
import { differences, type Home, home, serve } from './gateway.ts'

const STARTER = readFileSync(join(ROOT, 'rego/tool_decision.rego'), 'utf8')
const RULE = blocksOf(readFileSync(join(ROOT, 'README.md'), 'utf8')).find(({ language }) => language === 'rego')!.text
const pageOf = (name: string): string => readFileSync(join(ROOT, name), 'utf8')

interface Opened {
  readonly folder: Home
  readonly session: Session
}

async function inFolder(folder: Home): Promise<Opened> {
  return { folder, session: await openSession({ cwd: folder.path }) }
}

async function close({ folder, session }: Opened): Promise<void> {
  await session.close()
  folder.remove()
}

it('docs/operators.md goes as it says, from an empty folder on', async () => {
  const empty = await inFolder(home())
  expect(await differences(empty.session, 'docs/operators.md', pageOf('docs/operators.md'))).toEqual([])
  await close(empty)
}, 180_000)

describe('at a gateway with the refund rule, and a vault key that may use it', () => {
  let opened: Opened

  beforeAll(async () => {
    opened = await inFolder(home(`${STARTER}\n${RULE}\n`))
    const { session } = opened
    await serve(session, '')
    await session.play({
      command: 'npx countersign keys create --agent a --role support-tier-1',
      expected: '…',
      line: 0,
    })
    await session.play({ command: 'export COUNTERSIGN_VAULT_KEY=cs_…', expected: '', line: 0 })
  }, 180_000)
  afterAll(async () => {
    if (opened) await close(opened)
  })

  it.each(['docs/agents.md', 'docs/auditor.md'])(
    '%s has sessions that go as it says',
    async (page) => {
      expect(await differences(opened.session, page, pageOf(page))).toEqual([])
    },
    180_000,
  )

  it('docs/agents.md and the page of the SDK have code that runs as it stands', async () => {
    const { session } = opened
    const scratch = join(ROOT, '.cache/docs-pages')
    mkdirSync(scratch, { recursive: true })
    const failed: unknown[] = []
    for (const page of ['docs/agents.md', 'sdk/typescript/README.md']) {
      for (const { text, line } of blocksOf(pageOf(page)).filter(({ language }) => language === 'ts')) {
        const file = join(scratch, `line-${line}.ts`)
        const here = text.replaceAll('8787', String(session.ports.agent))
        writeFileSync(file, here.replaceAll("'cs_…'", 'process.env.COUNTERSIGN_VAULT_KEY'))
        const command = `COUNTERSIGN_URL=http://127.0.0.1:8787 npx tsx ${file} && echo ran`
        const printed = await session.play({ command, expected: '…\nran', line })
        if (printed !== null) failed.push({ page, line, printed })
      }
    }
    rmSync(scratch, { recursive: true })
    expect(failed).toEqual([])
  }, 180_000)
})
