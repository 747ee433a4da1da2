/** The schemas that the policy commands hold files to. */
import { readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { SCHEMAS_DIR } from '../layout.ts'

export const schemaText = (name: string): string => readFileSync(new URL(`${name}.json`, SCHEMAS_DIR), 'utf8')

export const inputSchema = (): object => JSON.parse(schemaText('decision-input')) as object

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true })

export const validator = (name: string): ValidateFunction => ajv.compile(JSON.parse(schemaText(name)) as object)
