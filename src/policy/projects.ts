/** The project policies: found in their folder, and read. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defined } from '../model/defined.ts'
import type { ServiceNames } from '../model/names.ts'
import type { PolicyFile } from '../model/revision.ts'
import { inTurns, pausing } from './pausing.ts'
import { type ProjectData, projectData } from './project-data.ts'
import { type ParsedProject, readingProjectPolicy } from './project-policy.ts'
import { type PolicyProblem, type PolicyRefusal, refusePolicy } from './refusal.ts'

export interface Projects {
  /** Project name → its policy as the library looks it up. */
  readonly data: ReadonlyMap<string, ProjectData>
  /** What an operator should know, though nothing is refused for it. */
  readonly warnings: readonly PolicyProblem[]
}

interface Read {
  readonly project: string
  readonly data: ProjectData
  readonly warnings: readonly PolicyProblem[]
}

/** What was read before, by content: a reload parses only what changed, wherever it comes from. */
export type ProjectsRead = Map<string, Read>

export const PROJECTS = 'projects'

const READ_AT_ONCE = 32

export const isProjectFile = (name: string): boolean => /\.ya?ml$/.test(name) && !name.startsWith('.')

/** Null where there is no such folder. */
export async function findProjects(folder: string): Promise<readonly PolicyFile[] | PolicyRefusal | null> {
  let names: string[]
  try {
    names = (await readdir(folder)).filter(isProjectFile).sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    return refusePolicy(unreadable(folder, error))
  }
  const files: PolicyFile[] = []
  for (let start = 0; start < names.length; start += READ_AT_ONCE) {
    const batch = names.slice(start, start + READ_AT_ONCE)
    try {
      const contents = await Promise.all(batch.map((name) => readFile(join(folder, name), 'utf8')))
      files.push(...batch.map((name, index) => ({ name: `${PROJECTS}/${name}`, content: contents[index]! })))
    } catch (error) {
      return refusePolicy(unreadable(folder, error))
    }
  }
  return files
}

/** A file that cannot be taken refuses them all. `read` is used, and then holds these files and no other. */
export async function readProjects(
  files: readonly PolicyFile[],
  pathOf: (name: string) => string,
  read: ProjectsRead,
  names?: ServiceNames,
): Promise<Projects | PolicyRefusal> {
  const problems: PolicyProblem[] = []
  const warnings: PolicyProblem[] = []
  const data = new Map<string, ProjectData>()
  const definedIn = new Map<string, string>()
  const present = new Set<string>()
  const pause = pausing()
  for (const { name, content } of files) {
    const path = pathOf(name)
    const taken = read.get(content) ?? (await take(path, content, names))
    if (!('data' in taken)) problems.push(...taken.problems)
    else {
      const { project } = taken
      const other = definedIn.get(project)
      if (other !== undefined) problems.push(twice(path, project, other))
      definedIn.set(project, path)
      data.set(project, taken.data)
      present.add(content)
      read.set(content, taken)
      for (const warning of taken.warnings) warnings.push({ ...warning, file: path })
    }
    await pause()
  }
  if (problems.length > 0) return refusePolicy(...problems)
  for (const content of read.keys()) if (!present.has(content)) read.delete(content)
  return { data, warnings }
}

async function take(
  path: string,
  content: string,
  names?: ServiceNames,
): Promise<Read | (ParsedProject & { ok: false })> {
  const parsed = await inTurns(readingProjectPolicy(content, path, defined({ names })))
  if (!parsed.ok) return parsed
  const { policy, warnings } = parsed
  return { project: policy.project, data: await inTurns(projectData(policy)), warnings }
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
