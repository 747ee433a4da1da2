/** What a policy is made of, as it lies on the disk: the operator's Rego and data, and the library. */
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import { parse as parseYaml } from 'yaml'
import type { PolicyFile } from '../model/revision.ts'
import { type PolicyRefusal, refusePolicy } from './refusal.ts'
import type { RegoFile } from './toolchain.ts'

export interface PolicySources {
  /** By names that do not depend on the machine: `tool_decision.rego`, `countersign/decision.rego`. No tests. */
  readonly modules: readonly RegoFile[]
  /** The `_test.rego` files. */
  readonly tests: readonly RegoFile[]
  /** The documents of `data.json`, `data.yaml` and `data.yml`, each under its folder's path, as OPA reads bundles. */
  readonly data: Readonly<Record<string, unknown>>
  /** Every file that counts, tests left out: name and content. */
  readonly files: readonly PolicyFile[]
  /** A name in `modules` → the path that the operator knows. */
  readonly pathOf: (name: string) => string
}

const DATA_FILE = /^data\.(json|yaml|yml)$/
export const LIBRARY = 'countersign'
const FILES_MAX = 2_000

/** The files of a policy, tests included, and where each of them lies. */
export interface FoundFiles {
  readonly files: readonly PolicyFile[]
  readonly pathOf: (name: string) => string
}

/** The library is read from `libraryDir` alone, and stands in the policy as `countersign/`. */
export async function findFiles(policyDir: string, libraryDir: string): Promise<FoundFiles | PolicyRefusal> {
  const library = resolve(libraryDir)
  const own = await list(policyDir, (folder) => resolve(folder) !== library)
  if ('refused' in own) return own
  const shipped = await findLibrary(libraryDir)
  if ('refused' in shipped) return shipped

  const paths = new Map(own.map((path) => [path.split(sep).join('/'), join(policyDir, path)]))
  const taken = [...paths.keys()].find((name) => name.startsWith('projects/') && !name.endsWith('.rego'))
  if (taken !== undefined)
    return refusePolicy({
      code: 'bad_data',
      file: paths.get(taken)!,
      message: 'data.projects is where the gateway puts the project policies',
      fix: 'Give the folder another name.',
    })
  for (const { name } of shipped.files) paths.delete(name)
  const files = [...shipped.files]
  for (const [name, path] of paths) files.push({ name, content: await readFile(path, 'utf8') })
  return {
    files: files.sort((a, b) => (a.name < b.name ? -1 : 1)),
    pathOf: (name) => paths.get(name) ?? shipped.pathOf(name),
  }
}

/** The library alone. */
export async function findLibrary(libraryDir: string): Promise<FoundFiles | PolicyRefusal> {
  const shipped = await list(libraryDir, () => true)
  if ('refused' in shipped) return shipped
  const files = await Promise.all(
    shipped.map(async (path) => ({
      name: `${LIBRARY}/${path.split(sep).join('/')}`,
      content: await readFile(join(libraryDir, path), 'utf8'),
    })),
  )
  return {
    files,
    pathOf: (name) => (name.startsWith(`${LIBRARY}/`) ? join(libraryDir, name.slice(LIBRARY.length + 1)) : name),
  }
}

/** What is neither Rego nor data decides nothing, and is left out; so are tests, which stand apart. */
export function assemble({ files: found, pathOf }: FoundFiles): PolicySources | PolicyRefusal {
  const modules: RegoFile[] = []
  const tests: RegoFile[] = []
  const files: PolicyFile[] = []
  const data: Record<string, unknown> = {}
  for (const file of [...found].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const { name, content } = file
    if (name.endsWith('_test.rego')) {
      tests.push({ path: name, source: content })
      continue
    }
    files.push(file)
    if (name.endsWith('.rego')) {
      modules.push({ path: name, source: content })
      continue
    }
    const problem = mount(data, name.split('/').slice(0, -1), content)
    if (problem) {
      return refusePolicy({
        code: 'bad_data',
        file: pathOf(name),
        message: problem,
        fix: 'Write one object, with names that no other data file has. `projects` is the gateway’s own.',
      })
    }
  }
  return { modules, tests, data, files, pathOf }
}

/** Whether a file of this name is part of a policy at all. */
export const isPolicyFile = (name: string): boolean =>
  name.endsWith('.rego') || DATA_FILE.test(name.slice(name.lastIndexOf('/') + 1))

async function list(folder: string, enters: (folder: string) => boolean): Promise<string[] | PolicyRefusal> {
  const found: string[] = []
  const walk = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      const path = join(below, entry.name)
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
      if (entry.isDirectory()) {
        if (enters(join(folder, path))) await walk(path)
      } else if (isPolicyFile(entry.name)) found.push(path)
      if (found.length > FILES_MAX) throw new Error(`more than ${FILES_MAX} files`)
    }
  }
  try {
    await walk('')
    return found
  } catch (error) {
    return refusePolicy({
      code: 'unreadable',
      file: folder,
      message: `the folder cannot be read: ${(error as Error).message}`,
      fix: 'Point COUNTERSIGN_POLICY_DIR at a folder with a tool_decision.rego; `countersign init` writes one.',
    })
  }
}

/** Puts a data file's document under its folder's path; answers what is wrong with it. */
function mount(data: Record<string, unknown>, path: readonly string[], content: string): string | null {
  let document: unknown
  try {
    document = parseYaml(content)
  } catch (error) {
    return `not JSON or YAML: ${(error as Error).message.split('\n')[0]}`
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) return 'not an object'
  let at = data
  for (const step of path) {
    at[step] ??= {}
    at = at[step] as Record<string, unknown>
    if (typeof at !== 'object' || at === null) return `${step} is already a value of another data file`
  }
  for (const [name, value] of Object.entries(document)) {
    if (Object.hasOwn(at, name) || [...path, name][0] === 'projects') return `${name} is already taken`
    at[name] = value
  }
  return null
}
