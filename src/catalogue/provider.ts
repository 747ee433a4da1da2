/** What a provider's file says: its operations, from its own description, and our rules on top, from the YAML beside it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonSchema, Method, Operation } from '../model/operation.ts'

export interface Provider {
  readonly name: string
  readonly title: string
  /** Where calls are sent; callers never choose it. */
  readonly origin: string
  /** Host names under which the provider's own SDK calls it. */
  readonly hosts: readonly string[]
  readonly api_version: string
  readonly encoding: 'form' | 'json'
  readonly groups: readonly { readonly group: string; readonly about: string }[]
}

/** An operation as the generator wrote it. */
export interface Described {
  readonly name: string
  readonly aliases: readonly string[]
  readonly method: Method
  readonly path: string
  readonly verb: string
  readonly collection: string
  readonly summary: string
  readonly params: JsonSchema
  /** What the answer may be, as nodes of the expansion graph. */
  readonly returns: readonly string[]
}

/** Component → field → component: what `expand` may follow. */
export type ExpandGraph = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>

/** Unit amount times quantity, over lines. */
export interface LineSum {
  readonly sum: readonly string[]
  /** Where the lines are that the summed ones change: a list, searched by id, or one line. */
  readonly existing?: string
  /** Where one of these has a value, the existing lines that are not changed are billed as well. */
  readonly rest_when?: readonly string[]
}

export type AmountSource =
  | string
  | { readonly value: string; readonly less: string }
  | { readonly magnitude: string }
  | LineSum

export interface ReadRule {
  readonly as: string
  readonly path: string
  readonly unless?: string
}

export interface CostRule {
  readonly amount: readonly AmountSource[]
  readonly currency: readonly string[]
  readonly customer?: readonly string[]
  readonly actual?: Operation['actual']
}

interface Matching {
  readonly operations: readonly string[]
}

/** `schemas/provider.json` is its schema. */
export interface Rules {
  readonly provider: string
  readonly title: string
  readonly origin: string
  readonly hosts: readonly string[]
  readonly encoding: 'form' | 'json'
  readonly resource: string
  readonly groups: readonly (Matching & { readonly group: string; readonly about: string })[]
  readonly reads?: readonly (Matching & { readonly read: readonly ReadRule[] })[]
  readonly costs?: readonly (Matching & CostRule)[]
  readonly customer?: readonly string[]
  readonly amounts?: {
    readonly params: readonly string[]
    readonly may_be_zero_or_less?: readonly (Matching & { readonly why: string })[]
  }
  readonly guarded?: readonly string[]
  readonly guarded_of?: readonly (Matching & { readonly guarded: readonly string[] })[]
  readonly redact?: readonly string[]
  readonly redact_of?: readonly (Matching & { readonly redact: readonly string[] })[]
  readonly refused?: readonly (Matching & { readonly why: string })[]
}

export interface Description {
  readonly provider: string
  readonly api_version: string
  readonly rules: Rules
  readonly operations: readonly Described[]
  readonly expandable: ExpandGraph
}

/** Throws where the file is missing or does not parse: a gateway without its catalogue does not start. */
export const readDescription = (dir: string, file: string): Description =>
  JSON.parse(readFileSync(join(dir, file), 'utf8')) as Description
