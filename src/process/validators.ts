/** The wire contracts of `schemas/`, compiled. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { schema } from '../schemas.ts'
import type { ApiSchemas } from '../server/index.ts'

interface Validators {
  readonly schemas: ApiSchemas
  readonly call: ValidateFunction
  readonly vaultKey: ValidateFunction
  readonly decisionInput: ValidateFunction
}

export function createValidators(): Validators {
  // These schemas are the package's own: the tests hold them against the meta-schema, and a start need not.
  const ajv = formats.default(new Ajv2020({ strict: false, validateSchema: false, meta: false }))
  const schemas = { call: schema('call'), vaultKey: schema('vault-key'), config: schema('config') }
  // What the others refer to.
  ajv.addSchema(schemas.config)
  return {
    schemas,
    call: ajv.compile(schemas.call),
    vaultKey: compiledAtFirstUse(ajv, schemas.vaultKey),
    decisionInput: compiledAtFirstUse(ajv, schema('decision-input')),
  }
}

/** A start does not wait for what its first calls may never need. */
function compiledAtFirstUse(ajv: Ajv2020, schema: object): ValidateFunction {
  let compiled: ValidateFunction | undefined
  const valid = (data: unknown): boolean => {
    compiled ??= ajv.compile(schema)
    const fits = compiled(data)
    valid.errors = compiled.errors
    return fits
  }
  valid.errors = undefined as ValidateFunction['errors']
  return valid as ValidateFunction
}
