/** The schemas that the policy commands hold files to. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { schema } from '../schemas.ts'

export const inputSchema = (): object => schema('decision-input')

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true })

export const validator = (name: string): ValidateFunction => ajv.compile(schema(name))
