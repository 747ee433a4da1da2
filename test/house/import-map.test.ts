import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { strayImports } from '../../tools/check/import-map.ts'

describe('the import map', () => {
  it('allows every import that the sources have', () => {
    expect(strayImports(fileURLToPath(new URL('../../src', import.meta.url)))).toEqual([])
  })

  it('names an import between rooms, and a file without a room', () => {
    const src = mkdtempSync(join(tmpdir(), 'countersign-map-'))
    for (const room of ['model', 'spend', 'audit']) mkdirSync(join(src, room))
    writeFileSync(
      join(src, 'README.md'),
      '| room | p | may |\n| `model/` | words | |\n| `spend/` | caps | |\n| `audit/` | rows | |\n',
    )
    writeFileSync(join(src, 'model/money.ts'), 'export const one = 1\n')
    writeFileSync(join(src, 'audit/row.ts'), "import { one } from '../model/money.ts'\nexport const row = one\n")
    writeFileSync(join(src, 'spend/index.ts'), "import { row } from '../audit/row.ts'\nexport const cap = row\n")
    writeFileSync(join(src, 'stray.ts'), 'export {}\n')
    expect(strayImports(src).map((line) => line.split(':')[0])).toEqual(
      expect.arrayContaining(['src/spend/index.ts imports audit/row.ts', 'src/stray.ts is in no room of the map']),
    )
    expect(strayImports(src)).toHaveLength(2)
  })
})
