/** The wire contracts of `schemas/`, by name: `call`, `config`, `decision-input`, … */
import { readFileSync } from 'node:fs'
import { SCHEMAS_DIR } from './layout.ts'

/** JSON Schema (2020-12). Throws where the package is not whole. */
export type Schema = Record<string, unknown> & { readonly $id?: string }

export const schemaText = (name: string): string => readFileSync(new URL(`${name}.json`, SCHEMAS_DIR), 'utf8')

export const schema = (name: string): Schema => JSON.parse(schemaText(name))
