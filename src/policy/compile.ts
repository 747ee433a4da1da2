/** The operator's Rego and the library, compiled into one WASM module, or the reasons why not. */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ENTRY_POINT } from './instance.ts'
import { type PolicyProblem, type PolicyRefusal, refusePolicy } from './refusal.ts'
import type { PolicySources } from './sources.ts'
import { compileRego, type RegoProblem } from './toolchain.ts'

const DIGEST_BYTES = 32
const OPERATOR_PACKAGE = 'tool_decision'

export interface Compiled {
  readonly wasm: Buffer
  /** A digest of the compiler and the rules, which stands for what came out. */
  readonly compiled_as: string
  /** It was compiled before, and passed its trial then. */
  readonly cached: boolean
}

/** Where else a compiled policy may be had, by `compiled_as`; null where it is not there. Whoever answers vouches for it. */
export type CompiledElsewhere = (compiled_as: string) => Promise<Buffer | null>

/** Compiles, or takes what was compiled before from the same sources with the same compiler: the first of `caches` that has it. */
export async function compile(
  sources: PolicySources,
  caches: readonly string[],
  elsewhere: CompiledElsewhere = async () => null,
): Promise<Compiled | PolicyRefusal> {
  const compiled_as = await digestOf(sources)
  for (const folder of caches) {
    const wasm = await readCached(join(folder, fileOf(compiled_as)))
    if (wasm) return { wasm, compiled_as, cached: true }
  }
  const found = await elsewhere(compiled_as)
  if (found) return { wasm: found, compiled_as, cached: true }
  const misplaced = missingOrForeignPackage(sources)
  if (misplaced) return refusePolicy(misplaced)
  const answer = await compileRego(sources.modules, [ENTRY_POINT])
  return answer.ok
    ? { wasm: answer.value.wasm, compiled_as, cached: false }
    : refusePolicy(...answer.errors.map((error) => problemOf(error, sources)))
}

/** Keeps what passed its trial for the next start. */
export async function keepCompiled({ wasm, compiled_as }: Omit<Compiled, 'cached'>, cacheDir: string): Promise<void> {
  const path = join(cacheDir, fileOf(compiled_as))
  await mkdir(cacheDir, { recursive: true })
  const half = `${path}.${randomUUID()}`
  await writeFile(half, Buffer.concat([sha256(wasm), wasm]))
  await rename(half, path)
}

async function readCached(path: string): Promise<Buffer | null> {
  try {
    const bytes = await readFile(path)
    const wasm = bytes.subarray(DIGEST_BYTES)
    return wasm.length > 0 && sha256(wasm).equals(bytes.subarray(0, DIGEST_BYTES)) ? wasm : null
  } catch {
    // Not there, or not readable: it is only a cache.
    return null
  }
}

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest()

const compilerDigest = readFile(new URL('./toolchain/opa.wasm.sha256', import.meta.url), 'utf8')

const fileOf = (compiled_as: string): string => `${compiled_as}.wasm`

async function digestOf(sources: PolicySources): Promise<string> {
  const hash = createHash('sha256').update(await compilerDigest)
  for (const { path, source } of sources.modules) hash.update(JSON.stringify([path, source]))
  return hash.digest('hex')
}

/** A policy without the operator's package would quietly lose every deny rule; one that adds to the library could undo it. */
function missingOrForeignPackage({ modules, pathOf }: PolicySources): PolicyProblem | null {
  const operators = modules.filter(({ path }) => !path.startsWith('countersign/'))
  const foreign = operators.find(({ source }) => /^\s*package\s+countersign\b/m.test(source))
  if (foreign)
    return {
      code: 'foreign_package',
      file: pathOf(foreign.path),
      message: 'the package countersign is the library, which comes with the gateway',
      fix: `Write your rules in package ${OPERATOR_PACKAGE} or one of your own, and remove copies of the library.`,
    }
  if (operators.some(({ source }) => /^\s*package\s+tool_decision\s*(#.*|;.*)?$/m.test(source))) return null
  return {
    code: 'no_entry_point',
    file: pathOf('tool_decision.rego'),
    message: `no file of the policy declares package ${OPERATOR_PACKAGE}, so its deny rules would be lost`,
    fix: `Put \`package ${OPERATOR_PACKAGE}\` at the top of tool_decision.rego; \`countersign init\` writes one.`,
  }
}

/** An error of OPA's in the words of policy authors, at the place that they know. */
export function problemOf(
  { code, message, file, row, col }: RegoProblem,
  { pathOf }: Pick<PolicySources, 'pathOf'>,
): PolicyProblem {
  const place = { ...(file && { file: pathOf(file) }), ...(row && { row }), ...(col && { col }) }
  const missing = /^undefined function (\S+)/.exec(message)?.[1]
  if (missing)
    return {
      ...place,
      code: 'missing_builtin',
      message: `the function ${missing} is not defined, and is no builtin that runs inside the gateway`,
      fix: 'Correct its name, or hand the policy the fact as input or data: docs/policy lists the builtins that run.',
    }
  if (message.includes('does not refer to a rule'))
    return {
      code: 'no_entry_point',
      message: 'the library has lost its entry point, data.countersign.decision',
      fix: 'Restore the folder rego/countersign from the package.',
    }
  const twoForms = /^conflicting rules data\.(\S+) found/.exec(message)?.[1]
  if (twoForms)
    return {
      ...place,
      code: 'two_forms',
      message: `rules named ${twoForms} come in two forms, plain (\`if …\`) and with messages (\`contains "why" if …\`)`,
      fix: 'Write all rules of that name in one form.',
    }
  if (code === 'rego_parse_error')
    return { ...place, code: 'syntax', message, fix: 'Correct the syntax; `countersign policy check` reads it again.' }
  if (code === 'opa_error')
    return { ...place, code: 'compiler', message, fix: 'See the message; the policy was not taken.' }
  return { ...place, code: code.replace(/^rego_|_error$/g, ''), message, fix: 'Correct the rule at this place.' }
}
