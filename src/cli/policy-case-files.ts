/** The case tables of a policy, found and read. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import {
  type CaseReading,
  type PolicyCase,
  type PolicyProblem,
  type PolicyRefusal,
  readCases,
} from '../policy/index.ts'
import { CliError } from './output.ts'
import { known, names } from './policy-catalogue.ts'
import type { Folders } from './policy-folders.ts'
import { validator } from './policy-schemas.ts'

const YAML = /\.ya?ml$/

/** Where cases lie when no option says it: `cases` here, and `cases` in the policy's folder. */
export const caseFolders = ({ policyDir }: Folders): readonly string[] =>
  [...new Set(['cases', relative('', join(policyDir, 'cases'))])].filter((folder) => existsSync(folder))

/** Files, folders, and patterns with `*` and `**`. One that names nothing is a mistake, not an empty table. */
export function caseFiles(patterns: readonly string[]): readonly string[] {
  const files = patterns.flatMap((pattern) => {
    const found = pattern.includes('*') ? matching(pattern) : existsSync(pattern) ? yamlBelow(pattern) : []
    if (found.length === 0)
      throw new CliError(
        `--cases ${pattern} names no YAML file.`,
        "Name files, a folder, or a pattern: 'cases/**/*.yaml'.",
      )
    return found
  })
  return [...new Set(files)].sort()
}

function yamlBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => YAML.test(name))
    .map((name) => join(path, name))
}

function matching(pattern: string): string[] {
  const fixed = pattern.slice(0, pattern.indexOf('*'))
  const root = fixed.slice(0, fixed.lastIndexOf('/') + 1) || '.'
  const signs = join(pattern).replace(/[.+?^${}()|[\]\\]/g, '\\$&')
  const meant = signs.replace(/\*\*\/|\*\*|\*/g, (sign) => ({ '**/': '(?:.*/)?', '**': '.*' })[sign] ?? '[^/]*')
  const expression = new RegExp(`^${meant}$`)
  return existsSync(root) ? yamlBelow(root).filter((path) => expression.test(path)) : []
}

let reading: CaseReading | undefined

/** All files' problems at once. */
export function readCaseFiles(files: readonly string[]): readonly PolicyCase[] | PolicyRefusal {
  reading ??= { isCaseFile: validator('policy-cases'), isInput: validator('decision-input'), known, names }
  const problems: PolicyProblem[] = []
  const cases: PolicyCase[] = []
  for (const file of files) {
    const read = readCases(readFileSync(file, 'utf8'), file, reading)
    if ('refused' in read) problems.push(...read.problems)
    else cases.push(...read)
  }
  return problems.length > 0 ? { refused: true, problems } : cases
}
