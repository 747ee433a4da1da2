/**
 * One loaded revision: the compiled policy in WASM with its data, and beside it the project policies, of which each call
 * brings along what it can touch. So a reload costs the same with twenty projects as with twenty thousand, and a decision
 * the same with one grant as with a hundred thousand, the first one too.
 */
import { createRequire } from 'node:module'
import type { LoadedPolicy, loadPolicySync } from '@open-policy-agent/opa-wasm'
import type { Decision, DecisionInput, Policy } from '../model/decision.ts'
import { Fault } from '../model/fault.ts'
import { decisionIn, faultIn } from './answer.ts'
import { type ProjectData, sliceOf } from './project-data.ts'
import { builtins } from './toolchain/builtins.mjs'

// Its ES module has no named export of this function, though its types say so.
const opa = createRequire(import.meta.url)('@open-policy-agent/opa-wasm') as { loadPolicySync: typeof loadPolicySync }

export const ENTRY_POINT = 'countersign/decision'

const PAGE_BYTES = 64 * 1024
/** WASM memory never shrinks, so it is capped: a policy that allocates without end faults here, and the call is refused. */
export const MEMORY = { initial: 16, maximum: 4096 } as const
/** Grown by more than this in one evaluation: a new instance gives the memory back. */
const GROWTH_BYTES_MAX = 16 * 1024 * 1024
export const INPUT_BYTES_MAX = 1024 * 1024

export interface Revision {
  readonly revision: string
  readonly module: WebAssembly.Module
  /** The documents under `data`, `projects` left out. */
  readonly data: Readonly<Record<string, unknown>>
  /** Project name → its policy. */
  readonly projects: ReadonlyMap<string, ProjectData>
}

interface Exports {
  opa_eval(
    reserved: number,
    entrypoint: number,
    data: number,
    input: number,
    inputBytes: number,
    heap: number,
    format: number,
  ): number
}

/** The WASM of one revision between two resets. */
interface Instance {
  readonly loaded: LoadedPolicy
  readonly exports: Exports
  readonly entrypoint: number
  readonly settledBytes: number
}

const encoder = new TextEncoder()

export class PolicyInstance implements Policy {
  readonly revision: string
  readonly #source: Revision
  #instance: Instance

  constructor(source: Revision) {
    this.revision = source.revision
    this.#source = source
    this.#instance = instantiate(source)
  }

  /** Throws a fault for whatever is not a decision: the call is then refused. */
  decide(input: DecisionInput): Decision {
    const { project } = input
    const policy = project === undefined ? undefined : this.#source.projects.get(project)
    const text = inputText(input, policy)
    // A UTF-16 unit becomes at most three bytes.
    if (text.length * 3 > INPUT_BYTES_MAX && Buffer.byteLength(text) > INPUT_BYTES_MAX)
      throw new Fault('policy_unavailable', `the policy's input is larger than ${INPUT_BYTES_MAX} bytes`)
    let results: unknown
    try {
      results = evaluate(this.#instance, text)
    } catch (thrown) {
      // What an aborted evaluation left behind is unknown, so none of it is kept.
      this.#instance = instantiate(this.#source)
      throw new Fault('policy_unavailable', `the policy could not be evaluated: ${said(thrown)}`)
    }
    if (this.#instance.loaded.mem.buffer.byteLength > this.#instance.settledBytes + GROWTH_BYTES_MAX)
      this.#instance = instantiate(this.#source)
    const fault = faultIn(results)
    if (fault) throw new Fault('policy_unavailable', `the policy's answer is not a decision: ${fault}`)
    return decisionIn(results, this.revision)
  }
}

/**
 * The call as the compiled policy gets it, in JSON. What it can touch of its project's policy comes last, where it stands in
 * for whatever the caller may have given by that name.
 */
export function inputText(input: DecisionInput, policy: ProjectData | undefined): string {
  const slice = policy ? JSON.stringify(sliceOf(policy, input)) : 'null'
  return `${JSON.stringify(input).slice(0, -1)},"project_policy":${slice}}`
}

function instantiate({ module, data }: Revision): Instance {
  // The loader writes its default into the descriptor that it gets, so it gets its own.
  const loaded = opa.loadPolicySync(module, { ...MEMORY }, { ...builtins })
  loaded.setData({ ...data, projects: {} })
  const entrypoint: unknown = loaded.entrypoints[ENTRY_POINT]
  if (typeof entrypoint !== 'number') throw new Error(`the policy has no entry point ${ENTRY_POINT}`)
  return {
    loaded,
    exports: (loaded.wasmInstance as { exports: unknown }).exports as Exports,
    entrypoint,
    settledBytes: loaded.mem.buffer.byteLength,
  }
}

/** As opa-wasm's own `evaluate`, but text goes straight into the WASM memory and the answer straight out of it. */
function evaluate({ loaded, exports, entrypoint }: Instance, input: string): unknown {
  const heap = loaded.dataHeapPtr
  const missing = heap + input.length * 3 - loaded.mem.buffer.byteLength
  if (missing > 0) loaded.mem.grow(Math.ceil(missing / PAGE_BYTES))
  const { written } = encoder.encodeInto(input, new Uint8Array(loaded.mem.buffer, heap))
  const address = exports.opa_eval(0, entrypoint, loaded.dataAddr, heap, written, heap + written, 0)
  const memory = Buffer.from(loaded.mem.buffer)
  return JSON.parse(memory.toString('utf8', address, memory.indexOf(0, address)))
}

/** The runtime throws strings and plain objects as well as errors. */
function said(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown
  return (thrown as { message?: string } | null)?.message ?? 'an unknown fault'
}
