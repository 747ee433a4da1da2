/** The README's commands and code do what it says, at a gateway as `make demo` leaves it. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blocksOf, openSession, ROOT, type Session, stepsOf } from './console.ts'
import { differences, type Home, home, serve } from './gateway.ts'

const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
const TOUR = readFileSync(join(ROOT, 'tools/demo/tour.mjs'), 'utf8')
const RULE = blocksOf(README).find(({ language }) => language === 'rego')!.text

let folder: Home
let session: Session

beforeAll(async () => {
  const starter = readFileSync(join(ROOT, 'rego/tool_decision.rego'), 'utf8')
  folder = home(`${starter}\n${RULE}\n`)
  session = await openSession({ cwd: folder.path })
  await serve(session, 'COUNTERSIGN_ADMIN_TOKEN=demo-admin-token')
}, 180_000)
afterAll(async () => {
  await session?.close()
  folder?.remove()
})

describe('the README', () => {
  it('shows the rule that the demo adds, and the token that the demo takes', () => {
    expect(TOUR).toContain(RULE)
    expect(TOUR).toContain("'demo-admin-token'")
  })

  it('names targets of the Makefile', () => {
    const makefile = readFileSync(join(ROOT, 'Makefile'), 'utf8')
    const targets = stepsOf(README).flatMap(({ command }) => /^make (\S+)$/.exec(command)?.[1] ?? [])
    expect(targets).toEqual(['demo', 'test'])
    for (const target of targets) expect(makefile).toMatch(new RegExp(`^${target}:`, 'm'))
  })

  it('prints what each command prints', async () => {
    expect(await differences(session, 'README.md', README)).toEqual([])
  }, 180_000)

  it('has code that runs as it stands', async () => {
    const made = await session.play({
      command: 'npx countersign keys create --agent support-2 --role support-tier-1 --json',
      expected: '…',
      line: 0,
    })
    expect(made).toBeNull()
    const scratch = join(ROOT, '.cache/docs-readme')
    mkdirSync(scratch, { recursive: true })
    const programs = blocksOf(README).filter(({ language }) => language === 'ts')
    expect(programs).toHaveLength(2)
    for (const [at, { text }] of programs.entries()) {
      const file = join(scratch, `block-${at + 1}.ts`)
      writeFileSync(file, text.replaceAll('8787', String(session.ports.agent)))
      const step = { command: `COUNTERSIGN_VAULT_KEY=cs_… npx tsx ${file}`, line: 0 }
      expect(
        await session.play({
          ...step,
          expected: at === 0 ? "… false { amount: 500, currency: 'usd' }" : 're_… succeeded',
        }),
      ).toBeNull()
    }
    rmSync(scratch, { recursive: true })
  }, 180_000)
})
