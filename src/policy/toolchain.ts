/**
 * OPA's own compiler, checker, formatter, test runner and evaluator: one WASI module run by Node, so that nobody needs an
 * OPA binary. It is built from `tools/opa-wasi` (40 MB), and runs in a process of its own, once a question: a gateway that
 * finds its policy compiled never loads it, and one that compiles does not keep it.
 */
import { askChild } from './child.ts'

export interface RegoFile {
  readonly path: string
  readonly source: string
}

/** One error, where OPA found it. Row and column count from 1. */
export interface RegoProblem {
  /** OPA's: `rego_parse_error`, `rego_type_error`, `rego_compile_error`, … */
  readonly code: string
  readonly message: string
  readonly file?: string
  readonly row?: number
  readonly col?: number
}

export type Answered<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly errors: readonly RegoProblem[] }

/** A rule, or a condition in one. */
export interface Place {
  readonly file: string
  readonly row: number
  readonly col: number
  readonly text: string
  /** Of a condition, the rule that it is in: `tool_decision.allow`. */
  readonly rule?: string
}

export interface Evaluation {
  readonly defined: boolean
  readonly value?: unknown
  readonly errors?: readonly RegoProblem[]
  /** With `trace`: OPA's text, the rules that fired, the conditions that did not hold. */
  readonly trace?: string
  readonly fired?: readonly Place[]
  readonly failed?: readonly Place[]
}

export interface RegoTest {
  readonly package: string
  readonly name: string
  readonly file: string
  readonly row: number
  readonly outcome: 'passed' | 'failed' | 'skipped' | 'error'
  readonly message?: string
  /** What the test printed. */
  readonly output?: string
  readonly trace?: string
  readonly duration_ms: number
}

export interface Coverage {
  readonly percent: number
  readonly files: Readonly<
    Record<string, { readonly percent: number; readonly not_covered: readonly (readonly [number, number])[] }>
  >
}

type Data = Readonly<Record<string, unknown>>

/** Longer than any honest policy takes; an evaluation that never ends must not hold a process for ever. */
const DEADLINE_MS = 60_000
const COMPLAINT_CHARS_MAX = 2_000

const program = new URL('./toolchain/run-opa.mjs', import.meta.url)
/**
 * WASI is experimental in Node 20, and says so at every start; V8's better code would come too late for one question; and
 * its fast calls into native code are those that run-opa.mjs must avoid.
 */
const FLAGS = ['--disable-warning=ExperimentalWarning', '--liftoff-only', '--no-turbo-fast-api-calls']

/** Compiles to unoptimised WASM. Both dialects of Rego may stand side by side. */
export async function compileRego(
  modules: readonly RegoFile[],
  entrypoints: readonly string[],
): Promise<Answered<{ readonly wasm: Buffer; readonly packages: readonly string[] }>> {
  return ask<{ wasm: string; packages: string[] }, { wasm: Buffer; packages: string[] }>(
    { verb: 'compile', modules, entrypoints },
    ({ wasm, packages }) => ({ wasm: Buffer.from(wasm, 'base64'), packages }),
  )
}

/** Asks OPA's own evaluator, once per input. */
export async function evaluateRego(
  modules: readonly RegoFile[],
  data: Data,
  query: string,
  inputs: readonly unknown[],
  options: { readonly trace?: boolean } = {},
): Promise<Answered<readonly Evaluation[]>> {
  return ask<{ results: Evaluation[] }, readonly Evaluation[]>(
    { verb: 'eval', modules, data, query, inputs, trace: options.trace ?? false },
    ({ results }) => results,
  )
}

/** Compiles strictly. With a JSON Schema of the input, a field that the input cannot have is an error. */
export async function checkRego(modules: readonly RegoFile[], inputSchema?: object): Promise<Answered<null>> {
  return ask({ verb: 'check', modules, input_schema: inputSchema }, () => null)
}

/** Each file as OPA's formatter writes it, in the dialect that it has. */
export async function formatRego(modules: readonly RegoFile[]): Promise<Answered<readonly RegoFile[]>> {
  return ask<{ files: RegoFile[] }, readonly RegoFile[]>({ verb: 'fmt', modules }, ({ files }) => files)
}

/** Runs the `test_` rules among the modules; `run` is a regular expression over their names. */
export async function testRego(
  modules: readonly RegoFile[],
  data: Data,
  options: { readonly run?: string; readonly coverage?: boolean } = {},
): Promise<Answered<{ readonly tests: readonly RegoTest[]; readonly coverage?: Coverage }>> {
  return ask<{ tests?: RegoTest[]; coverage?: Coverage }, { tests: readonly RegoTest[]; coverage?: Coverage }>(
    { verb: 'test', modules, data, run: options.run ?? '', coverage: options.coverage ?? false },
    ({ tests = [], coverage }) => ({ tests, ...(coverage && { coverage }) }),
  )
}

/** The builtins that a policy may call. */
export async function regoBuiltins(): Promise<readonly string[]> {
  const answer = await ask<{ builtins: string[] }, readonly string[]>(
    { verb: 'capabilities' },
    (found) => found.builtins,
  )
  if (!answer.ok) throw new Error('the OPA module does not list its builtins')
  return answer.value
}

async function ask<Raw, T>(request: object, read: (raw: Raw) => T): Promise<Answered<T>> {
  const answer = JSON.parse(await run(JSON.stringify(request))) as Raw & { errors?: RegoProblem[] }
  return answer.errors ? { ok: false, errors: answer.errors } : { ok: true, value: read(answer) }
}

async function run(message: string): Promise<string> {
  const answered = await askChild<{ answer?: string; fault?: string }>(program, {
    message,
    deadline_ms: DEADLINE_MS,
    execArgv: FLAGS,
  })
  if (answered === null) throw new Error(`OPA took longer than ${DEADLINE_MS / 1000} s`)
  if (answered.answer === undefined) throw new Error(`OPA broke: ${answered.fault?.slice(0, COMPLAINT_CHARS_MAX)}`)
  return answered.answer
}
