/**
 * Case tables: calls in YAML, and what the policy must decide on them. The shape is `schemas/policy-cases.json`; a case says
 * what matters to it, and the base call and the catalogue fill in the rest.
 */
import type { ErrorObject, ValidateFunction } from 'ajv'
import { isNode, LineCounter, parseDocument, stringify } from 'yaml'
import type { DecisionInput, Verdict } from '../model/decision.ts'
import { defined } from '../model/defined.ts'
import type { ServiceNames } from '../model/names.ts'
import { over, withoutNulls } from './overlay.ts'
import { atOnce } from './pausing.ts'
import { type ProjectData, projectData } from './project-data.ts'
import { parseProjectPolicy } from './project-policy.ts'
import { type PolicyProblem, type PolicyRefusal, refusePolicy } from './refusal.ts'

export interface Expected {
  readonly decision: Verdict
  readonly reasons?: readonly string[]
  readonly says?: string
  readonly grant_id?: string
  readonly obligations?: object
}

export interface PolicyCase {
  readonly name: string
  readonly file: string
  readonly row: number
  readonly input: DecisionInput
  readonly expect: Expected
  /** Laid over the policy's own data. */
  readonly data: object
  /** Project name → its policy as the library looks it up; beside the policy's own. */
  readonly projects: ReadonlyMap<string, ProjectData>
}

export interface CaseReading {
  /** Checks against `schemas/policy-cases.json`. */
  readonly isCaseFile: ValidateFunction
  /** Checks against `schemas/decision-input.json`. */
  readonly isInput: ValidateFunction
  /** What the catalogue knows of a call: group, effect, action, … and what params say of amount and customer. */
  readonly known: (input: CallFields) => CallFields
  /** What the grants of project policies may name. */
  readonly names?: ServiceNames
}

export type CallFields = Readonly<Record<string, unknown>>

/** What a case starts from; `schemas/policy-cases.json` says the same to authors. */
const BASE_CALL: CallFields = {
  agent: { id: 'agent-1' },
  organisation: 'organisation-1',
  key: { id: 'vk_case' },
  occurrence: 1,
  time: '2026-01-01T12:00:00.000Z',
  params: {},
  spend: [],
}

/** A call of which only the interesting fields are given, made whole. */
export const wholeCall = (fields: CallFields, known: CaseReading['known']): unknown => {
  const call = over(BASE_CALL, fields) as CallFields
  return withoutNulls(over(over({ guarded: [] }, known(call)), call))
}

interface Shared {
  readonly input?: object
  readonly time?: string
  readonly data?: object
  readonly projects?: readonly object[]
}

interface RawFile extends Shared {
  readonly cases: readonly (Shared & { readonly name: string; readonly expect: Verdict | Expected })[]
}

type Path = readonly (string | number)[]

/** Every problem is reported, each with its place; `file` is its name in messages. */
export function readCases(source: string, file: string, reading: CaseReading): readonly PolicyCase[] | PolicyRefusal {
  const lines = new LineCounter()
  const document = parseDocument(source, { lineCounter: lines, uniqueKeys: true, merge: true })
  const placeOf = (path: Path) => {
    for (let depth = path.length; depth > 0; depth--) {
      const node = document.getIn(path.slice(0, depth), true)
      if (!isNode(node) || !node.range) continue
      const { line, col } = lines.linePos(node.range[0])
      return { file, row: line, col }
    }
    return { file, row: 1, col: 1 }
  }
  const problems: PolicyProblem[] = document.errors.map((error) => ({
    ...problem(error.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, ''), 'Correct the YAML.'),
    ...{ file, row: error.linePos?.[0].line ?? 1, col: error.linePos?.[0].col ?? 1 },
  }))
  if (problems.length > 0) return refusePolicy(...problems)

  const raw = document.toJS() as RawFile
  const { isCaseFile, isInput, known, names: services } = reading
  if (!isCaseFile(raw)) {
    return refusePolicy(
      ...told(isCaseFile.errors, 'the file').map(({ path, ...rest }) => ({ ...rest, ...placeOf(path) })),
    )
  }

  const cases: PolicyCase[] = []
  const names = new Set<string>()
  for (const [index, one] of raw.cases.entries()) {
    const at: Path = ['cases', index]
    const report = (path: Path, { message, fix, code }: PolicyProblem) =>
      problems.push({ code, message: `case "${one.name}": ${message}`, fix, ...placeOf(path) })
    if (names.has(one.name))
      report([...at, 'name'], problem('another case has this name', 'Give each case a sentence of its own.'))
    names.add(one.name)

    const time = one.time ?? raw.time
    const fields = over(over(raw.input ?? {}, one.input ?? {}), time === undefined ? {} : { time }) as CallFields
    const input = wholeCall(fields, known)
    if (!isInput(input))
      for (const { path, ...rest } of told(isInput.errors, 'input')) report([...at, 'input', ...path], rest)

    const projects = new Map<string, ProjectData>()
    for (const [where, list] of [
      [['projects'], raw.projects ?? []],
      [[...at, 'projects'], one.projects ?? []],
    ] as const)
      for (const [n, project] of list.entries()) {
        const parsed = parseProjectPolicy(stringify(project), file, defined({ names: services }))
        if (parsed.ok) projects.set(parsed.policy.project, atOnce(projectData(parsed.policy)))
        else for (const found of parsed.problems) report([...where, n], found)
      }
    cases.push({
      name: one.name,
      file,
      row: placeOf(at).row,
      input: input as DecisionInput,
      expect: typeof one.expect === 'string' ? { decision: one.expect } : one.expect,
      data: over(raw.data ?? {}, one.data ?? {}) as object,
      projects,
    })
  }
  return problems.length > 0 ? refusePolicy(...problems) : cases
}

const problem = (message: string, fix: string): PolicyProblem => ({ code: 'policy_case', message, fix })

/** A schema's complaints in words; those of a branch that was not meant are left out. */
function told(errors: readonly ErrorObject[] | null | undefined, whole: string): (PolicyProblem & { path: Path })[] {
  const all = errors ?? []
  const deepest = Math.max(...all.map(({ instancePath }) => instancePath.split('/').length))
  return all
    .filter(
      ({ keyword, instancePath }) => keyword !== 'anyOf' && instancePath.split('/').length >= Math.min(deepest, 2),
    )
    .map(({ instancePath, keyword, params, message }) => {
      const path = instancePath
        .split('/')
        .slice(1)
        .map((step) => (/^\d+$/.test(step) ? Number(step) : step))
      const name = [whole, ...path].join('.')
      if (keyword === 'additionalProperties') {
        const extra = String(params.additionalProperty)
        return {
          ...problem(`${name} has no field ${extra}`, 'Correct its spelling, or remove it.'),
          path: [...path, extra],
        }
      }
      if (keyword === 'required' && whole === 'input') {
        const missing = String(params.missingProperty)
        return {
          ...problem(
            `${name} has no ${missing}, and the catalogue cannot tell it`,
            'Name a provider and an operation that the catalogue has, or give every field of the call.',
          ),
          path,
        }
      }
      if (keyword === 'enum')
        return { ...problem(`${name} is not one of ${params.allowedValues.join(', ')}`, 'Write one of them.'), path }
      return { ...problem(`${name} ${message}`, 'See the schema that the first line of the file names.'), path }
    })
}
