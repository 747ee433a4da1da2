/** The TypeScript in the pages means what its types say, under the strict settings of this checkout. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { blocksOf, ROOT } from './console.ts'

/** The SDK's own page has this test beside the SDK's. */
const PAGES = ['README.md', 'docs/agents.md'] as const
const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc')

it('every block of TypeScript type-checks', () => {
  const folder = join(ROOT, '.cache/docs-types')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const page of PAGES) {
    const blocks = blocksOf(readFileSync(join(ROOT, page), 'utf8')).filter(({ language }) => language === 'ts')
    expect(blocks, page).not.toEqual([])
    for (const { text, line } of blocks) {
      const name = `${page.replaceAll('/', '-').replace('.md', '')}-line-${line}.ts`
      writeFileSync(join(folder, name), `${text}\n`)
    }
  }
  const settings = { extends: '../../tsconfig.test.json', include: ['*.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings))
  expect(typeErrors(folder)).toBe('')
  rmSync(folder, { recursive: true })
}, 180_000)

function typeErrors(folder: string): string {
  try {
    execFileSync(process.execPath, [TSC, '--noEmit', '--project', folder], { encoding: 'utf8' })
    return ''
  } catch (error) {
    return String((error as { stdout?: unknown }).stdout)
  }
}
