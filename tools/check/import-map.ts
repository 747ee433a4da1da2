/** Reads the table in `src/README.md` and names every import that it does not allow. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const EVERYTHING = 'everything'

interface Room {
  readonly name: string
  readonly may: readonly string[]
}

export function readMap(markdown: string): readonly Room[] {
  const rows = markdown.matchAll(/^\| `([^`]+)` \|[^|]*\|([^|]*)\|$/gm)
  return [...rows].map(([, name, may]) => ({
    name: name!.replace(/\/$/, ''),
    may: may!
      .split(',')
      .map((word) => word.trim())
      .filter(Boolean),
  }))
}

/** One line for each import that the map does not allow, and for each file that has no row. */
export function strayImports(src: string): readonly string[] {
  const rooms = readMap(readFileSync(join(src, 'README.md'), 'utf8'))
  const roomOf = (file: string) => rooms.find(({ name }) => file === name || file.startsWith(`${name}/`))
  const stray: string[] = []
  for (const entry of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
    if (!entry.endsWith('.ts') || entry.endsWith('.d.ts')) continue
    const room = roomOf(entry)
    if (!room) {
      stray.push(`src/${entry} is in no room of the map: give it a row in src/README.md, or move it`)
      continue
    }
    const code = readFileSync(join(src, entry), 'utf8')
    for (const [, target] of code.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
      const path = relative(src, join(src, dirname(entry), target!))
      const other = roomOf(path)
      const allowed =
        other === room ||
        other?.name === 'model' ||
        room.may.includes(EVERYTHING) ||
        (other && room.may.includes(other.name))
      if (!allowed)
        stray.push(`src/${entry} imports ${path}: ${room.name} may import model${['', ...room.may].join(', ')}`)
    }
  }
  return stray
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const stray = strayImports(fileURLToPath(new URL('../../src', import.meta.url)))
  for (const line of stray) console.error(line)
  console.log(stray.length === 0 ? 'import map: kept' : `import map: ${stray.length} broken`)
  process.exitCode = stray.length === 0 ? 0 : 1
}
