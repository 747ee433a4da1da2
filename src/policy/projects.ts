/** The folder of project policies. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type ParsedProject, parseProjectPolicy, projectData } from './project-policy.ts'
import { type PolicyProblem, type PolicyRefusal, refusePolicy } from './refusal.ts'

export interface Projects {
  /** Project name → its policy as the library looks it up. */
  readonly data: ReadonlyMap<string, object>
  readonly files: readonly { readonly name: string; readonly content: string }[]
  /** What an operator should know, though nothing is refused for it. */
  readonly warnings: readonly PolicyProblem[]
}

interface Read {
  readonly content: string
  readonly parsed: ParsedProject
  readonly data?: object
}

/** What was read before, by path: a reload parses only what changed. */
export type ProjectsRead = Map<string, Read>

export const NO_PROJECTS: Projects = { data: new Map(), files: [], warnings: [] }

const READ_AT_ONCE = 32
/** Parsing thousands of files must leave turns to live calls. */
const TURN_MS = 5

/** Null where there is no such folder. A file that cannot be taken refuses the whole folder. */
export async function readProjects(folder: string, before: ProjectsRead): Promise<Projects | PolicyRefusal | null> {
  let names: string[]
  try {
    names = (await readdir(folder)).filter((name) => /\.ya?ml$/.test(name) && !name.startsWith('.')).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    return refusePolicy(unreadable(folder, error))
  }
  const problems: PolicyProblem[] = []
  const warnings: PolicyProblem[] = []
  const data = new Map<string, object>()
  const definedIn = new Map<string, string>()
  const files: { name: string; content: string }[] = []
  let turn = performance.now()
  for (let start = 0; start < names.length; start += READ_AT_ONCE) {
    const batch = names.slice(start, start + READ_AT_ONCE).map((name) => join(folder, name))
    let contents: string[]
    try {
      contents = await Promise.all(batch.map((path) => readFile(path, 'utf8')))
    } catch (error) {
      return refusePolicy(unreadable(folder, error))
    }
    for (const [index, path] of batch.entries()) {
      const content = contents[index]!
      const read = take(path, content, before)
      files.push({ name: `projects/${names[start + index]}`, content })
      if (!read.parsed.ok) problems.push(...read.parsed.problems)
      else {
        const { project } = read.parsed.policy
        const other = definedIn.get(project)
        if (other !== undefined) problems.push(twice(path, project, other))
        definedIn.set(project, path)
        data.set(project, read.data!)
        warnings.push(...read.parsed.warnings)
      }
      if (performance.now() - turn > TURN_MS) {
        await nextTurn()
        turn = performance.now()
      }
    }
  }
  const present = new Set(names.map((name) => join(folder, name)))
  for (const path of before.keys()) if (!present.has(path)) before.delete(path)
  return problems.length > 0 ? refusePolicy(...problems) : { data, files, warnings }
}

function take(path: string, content: string, before: ProjectsRead): Read {
  const known = before.get(path)
  if (known?.content === content) return known
  const parsed = parseProjectPolicy(content, path)
  const read = { content, parsed, ...(parsed.ok && { data: projectData(parsed.policy) }) }
  before.set(path, read)
  return read
}

const unreadable = (folder: string, error: unknown): PolicyProblem => ({
  code: 'unreadable',
  file: folder,
  message: `the project policies cannot be read: ${(error as Error).message}`,
  fix: 'Let the gateway read the folder that COUNTERSIGN_PROJECTS_DIR names.',
})

const twice = (file: string, project: string, other: string): PolicyProblem => ({
  code: 'project_policy',
  file,
  message: `project ${project} has a policy already, in ${other}`,
  fix: 'Keep one file for each project.',
})
