/** The rows of calls.yaml as data. */
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'yaml'

export interface Step {
  readonly call?: string
  readonly route?: string
  readonly params?: object
  readonly form?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly call_id?: string
  readonly occurrence?: number
  readonly run?: string
  readonly turn?: number
  readonly correlation_id?: string
  readonly dry_run?: boolean
  readonly credential?: string
  readonly before?: {
    readonly revoke?: true
    readonly wait_ms?: number
    readonly misbehave?: readonly object[]
  }
  readonly reply: {
    readonly status: number
    readonly body?: object
    readonly says?: string
    readonly same_event_as?: number
    readonly replayed?: true
  }
  readonly audit: readonly string[]
  readonly effects: readonly string[]
  readonly sent?: number
  readonly spent: number | null
  readonly spends?: Readonly<Record<string, number>>
}

export interface Case {
  readonly case: string
  readonly key?: { readonly budgets?: readonly { scope: string; window: string }[]; readonly [field: string]: unknown }
  readonly plant?: object
  readonly steps: readonly Step[]
}

const read = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8')

/** Throws where a row does not fit case.schema.json. */
export function readCases(): readonly Case[] {
  const cases: unknown = parse(read('calls.yaml'))
  const valid = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictRequired: false }).compile(
    JSON.parse(read('case.schema.json')),
  )
  if (!valid(cases))
    throw new Error(
      valid
        .errors!.map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`)
        .join('\n'),
    )
  return cases as readonly Case[]
}

/** The same data with `{name}` filled in, in every text. */
export function filled<Value>(value: Value, words: Readonly<Record<string, string>>): Value {
  return JSON.parse(JSON.stringify(value), (_, each: unknown) =>
    typeof each === 'string' ? each.replace(/\{([a-z]+(?::\d+)?)\}/g, (all, name: string) => words[name] ?? all) : each,
  )
}
