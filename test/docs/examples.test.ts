/** The examples do what their pages say, at the gateway of the first of them. */
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openSession, ROOT, type Session } from './console.ts'
import { differences } from './gateway.ts'

/** In the order in which a reader needs them: the first one starts the gateway. */
const EXAMPLES = ['support-refunds', 'sdk-refund', 'drop-in-stripe', 'curl'] as const
/** Examples that have a test of their own. */
const ELSEWHERE = ['policy-repo']

/** A copy inside the checkout, so that packages are found and what a gateway writes goes away with it. */
const copy = join(ROOT, '.cache/docs-examples')
let session: Session

beforeAll(async () => {
  rmSync(copy, { recursive: true, force: true })
  cpSync(join(ROOT, 'examples'), join(copy, 'examples'), { recursive: true })
  session = await openSession({ cwd: copy })
})
afterAll(async () => {
  await session?.close()
  rmSync(copy, { recursive: true, force: true })
})

it('every example has its turn', () => {
  const folders = readdirSync(join(ROOT, 'examples'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  expect(folders.map(({ name }) => name).filter((name) => !ELSEWHERE.includes(name))).toEqual([...EXAMPLES].sort())
})

it.each(EXAMPLES)(
  'examples/%s does what its page says',
  async (name) => {
    await session.play({ command: `cd ${copy}`, expected: '…', line: 0 })
    const page = `examples/${name}/README.md`
    expect(await differences(session, page, readFileSync(join(ROOT, page), 'utf8'))).toEqual([])
  },
  180_000,
)
