import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { OUTPUT as CATALOGUE, generateStripe } from '../../tools/catalogue/generate-stripe.ts'
import { generateTypes, OUTPUT as TYPES } from '../../tools/catalogue/generate-types.ts'

/** Compared as a truth value: a difference of a megabyte is no help in a test's output. */
describe('what is generated is what the generators make', () => {
  it("the catalogue, from Stripe's published description (npx tsx tools/catalogue/generate-stripe.ts)", () => {
    expect(readFileSync(CATALOGUE, 'utf8') === generateStripe()).toBe(true)
  })

  it("the SDK's types, from the catalogue (npx tsx tools/catalogue/generate-types.ts)", () => {
    expect(readFileSync(TYPES, 'utf8') === generateTypes()).toBe(true)
  })
})
