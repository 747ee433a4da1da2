/** The gateway takes its own schemas as they are, so that no start pays for proving them; they are proved here. */
import { readdirSync, readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'

const SCHEMAS = new URL('../../schemas/', import.meta.url)

describe('schemas/', () => {
  it.each(readdirSync(SCHEMAS).filter((name) => name.endsWith('.json')))('%s is a JSON schema', (name) => {
    const ajv = new Ajv2020()
    ajv.validateSchema(JSON.parse(readFileSync(new URL(name, SCHEMAS), 'utf8')))
    expect(ajv.errors).toBeNull()
  })
})
