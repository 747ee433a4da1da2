/**
 * Rules that compile and yet can never fire: a name that nothing reads, an operation that the catalogue spells otherwise.
 * Warnings, because other programs may ask for a rule by name, and a policy may judge what the catalogue does not have.
 */

import { closest } from '../catalogue/closest.ts'
import type { Catalogue } from '../catalogue/index.ts'
import type { PolicyProblem, PolicySources, RegoFile } from '../policy/index.ts'

/** What the library reads of package tool_decision. */
const READ_BY_LIBRARY = ['allow', 'allow_guarded', 'deny', 'hold', 'obligations']
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

export function warningsOf({ modules, tests, pathOf }: PolicySources, catalogue: Catalogue): readonly PolicyProblem[] {
  const own = modules.filter(({ path }) => !path.startsWith('countersign/')).map(withoutComments)
  const all = [...own, ...tests.map(withoutComments)]
  return own.flatMap((file) => {
    const found = [...unreadRules(file, all), ...unknownNames(file, catalogue)]
    return found
      .sort((a, b) => a.offset - b.offset)
      .map(({ offset, ...rest }) => ({ ...rest, file: pathOf(file.path), ...placeOf(file.source, offset) }))
  })
}

type Finding = Pick<PolicyProblem, 'code' | 'message' | 'fix'> & { readonly offset: number }

function unreadRules(file: RegoFile, all: readonly RegoFile[]): Finding[] {
  if (!/^package\s+tool_decision\s*$/m.test(file.source)) return []
  const heads = [...file.source.matchAll(/^(?:default\s+)?(?!package\b|import\b|else\b)([a-z_]\w*)/gm)]
  const names = new Map(heads.map((head) => [head[1]!, head.index]))
  return [...names].flatMap(([name, offset]) => {
    if (READ_BY_LIBRARY.includes(name)) return []
    const uses = all.flatMap(({ source }) => [...source.matchAll(new RegExp(`\\b${name}\\b`, 'g'))]).length
    const asHead = all.flatMap(({ source }) => [
      ...source.matchAll(new RegExp(`^(default\\s+)?${name}\\b`, 'gm')),
    ]).length
    if (uses > asHead) return []
    const meant = closest(name, READ_BY_LIBRARY)
    return [
      {
        offset,
        code: 'unread_rule',
        message: `nothing reads the rule ${name}, so it decides nothing`,
        fix: meant
          ? `Call it ${meant}, if that is what you mean.`
          : `Use it in a rule, or remove it: decisions come from ${READ_BY_LIBRARY.join(', ')}.`,
      },
    ]
  })
}

const COMPARED =
  /\binput\.(provider|operation|group|action|effect|method)\s*(?:(?:==|:=|=)\s*("[^"\n]*")|in\s*[[{]([^\]}]*)[\]}])/g

function unknownNames({ source }: RegoFile, catalogue: Catalogue): Finding[] {
  const operations = catalogue.operations()
  const known: Readonly<Record<string, readonly string[]>> = {
    provider: catalogue.providers.map(({ name }) => name),
    operation: operations.map(({ name }) => name),
    group: [...new Set(operations.map(({ group }) => group))],
    action: [...new Set(operations.map(({ action }) => action))],
    effect: ['read', 'write'],
    method: METHODS,
  }
  const aliases = new Map(operations.flatMap(({ aliases, name }) => aliases.map((alias) => [alias, name] as const)))
  return [...source.matchAll(COMPARED)].flatMap(({ 0: whole, 1: field = '', 2: one, 3: list, index }) => {
    const texts = [...(one ?? list ?? '').matchAll(/"([^"\n]*)"/g)].map((text) => text[1]!)
    return texts.flatMap((text) => {
      if (known[field]!.includes(text)) return []
      const meant = (field === 'operation' ? aliases.get(text) : undefined) ?? closest(text, known[field]!)
      const closed = field === 'effect' || field === 'method'
      if (!meant && !closed) return []
      return [
        {
          offset: index + whole.indexOf(`"${text}"`),
          code: 'unknown_name',
          message: `input.${field} is never ${JSON.stringify(text)}, so the rule can never fire for it`,
          fix: meant ? `Write ${JSON.stringify(meant)}.` : `Write one of ${known[field]!.join(', ')}.`,
        },
      ]
    })
  })
}

function placeOf(source: string, offset: number): { row: number; col: number } {
  const lines = source.slice(0, offset).split('\n')
  return { row: lines.length, col: lines.at(-1)!.length + 1 }
}

/** Comments become spaces, so that every place stays where it was. */
function withoutComments({ path, source }: RegoFile): RegoFile {
  const parts = source.matchAll(/"(?:[^"\\\n]|\\.)*"|`[^`]*`|#[^\n]*|[^"`#]+|["`]/g)
  return { path, source: [...parts].map(([part]) => (part.startsWith('#') ? ' '.repeat(part.length) : part)).join('') }
}
