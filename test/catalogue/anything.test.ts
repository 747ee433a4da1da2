import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseForm, parseJson } from '../../src/catalogue/index.ts'
import { isRefusal } from '../../src/model/refusal.ts'
import { catalogue, operation } from './stripe.ts'

const refund = operation('create_refund')
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array))

/** Text that is made of what these parsers look at, so that random text comes near to what they accept. */
const nearForm = fc.string({
  unit: fc.constantFrom('a', 'amount', 'metadata', 'expand', '[', ']', '=', '&', '0', '1', '%', '%41', '%C3', '+', 'é'),
  maxLength: 30,
})
const nearJson = fc.string({
  unit: fc.constantFrom('{', '}', '[', ']', ':', ',', '"', '"a"', '\\', '1', '.', 'e', '-', 'null', ' ', '\\u0061'),
  maxLength: 40,
})

describe('whatever is sent, the answer is params or a refusal, and never a fault', () => {
  it('as params', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }), (sent) => {
        const one = catalogue.validate(refund, sent)
        const two = catalogue.validate(refund, { metadata: sent, amount: sent, expand: sent })
        expect([one, two].every((each) => typeof each === 'object')).toBe(true)
      }),
    )
  })

  it('as a form', () => {
    fc.assert(
      fc.property(fc.oneof(bytes, nearForm), (sent) => {
        const params = parseForm(sent, refund)
        const judged = isRefusal(params) ? params : catalogue.validate(refund, params)
        expect(typeof judged).toBe('object')
      }),
      { numRuns: 1000 },
    )
  })

  it('as JSON', () => {
    fc.assert(
      fc.property(fc.oneof(bytes, nearJson), (sent) => {
        expect(typeof parseJson(sent)).toBe('object')
      }),
      { numRuns: 1000 },
    )
  })

  it('as a path', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('/', 'v1', 'charges', '.', '%2f', '\\', 'x', '?'), maxLength: 12 }),
        (path) => {
          const found = catalogue.resolveRoute('stripe', 'GET', path)
          expect('operation' in found || isRefusal(found)).toBe(true)
        },
      ),
      { numRuns: 1000 },
    )
  })
})

describe('what was accepted means one thing', () => {
  it('a JSON body is what JSON.parse reads, or is refused', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value)
        const read = parseJson(text)
        if (!isRefusal(read)) expect(read).toEqual(JSON.parse(text))
      }),
    )
  })

  it('a name twice at any depth is refused', () => {
    const name = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(fc.array(name, { maxLength: 8 }), name, fc.nat(5), (path, twice, others) => {
        const filler = Array.from({ length: others }, (_, index) => `"filler ${index}":{"x":[]},`).join('')
        const inner = `{${JSON.stringify(twice)}:1,${filler}${JSON.stringify(twice)}:2}`
        const text = path.reduce((body, each) => `{${JSON.stringify(each)}:${body}}`, inner)
        expect(parseJson(text)).toMatchObject({ refused: true })
      }),
    )
  })

  it('params that passed pass again, unchanged', () => {
    const sent = fc.record(
      {
        charge: fc.stringMatching(/^ch_[A-Za-z0-9]{1,20}$/),
        amount: fc.integer({ min: 1 }),
        currency: fc.constantFrom('USD', 'usd', 'Eur', 'jpy'),
        metadata: fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(sent, (params) => {
        const once = catalogue.validate(refund, params)
        if (isRefusal(once)) return
        expect(catalogue.validate(refund, once)).toEqual(once)
        expect(parseJson(JSON.stringify(once))).toEqual(once)
      }),
    )
  })
})
