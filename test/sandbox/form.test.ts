import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonical, type Form, type FormValue, parseForm } from '../../src/sandbox/form.ts'

describe('a form', () => {
  it.each([
    ['that is empty', '', {}],
    ['with plain names', 'a=1&b=two+words&c=%C3%A9', { a: '1', b: 'two words', c: 'é' }],
    ['with a name alone', 'a', { a: '' }],
    ['with an equals sign in a value', 'a=b=c', { a: 'b=c' }],
    ['with nested names', 'metadata[a]=1&metadata[b]=2', { metadata: { a: '1', b: '2' } }],
    ['with encoded brackets', 'metadata%5Ba%5D=1', { metadata: { a: '1' } }],
    ['with an appended list', 'expand[]=a&expand[]=b', { expand: ['a', 'b'] }],
    ['with a numbered list in any order', 'x[1]=b&x[0]=a', { x: ['a', 'b'] }],
    ['with a list of objects', 'items[0][price]=p&items[0][quantity]=2', { items: [{ price: 'p', quantity: '2' }] }],
    ['with a name twice', 'a=1&a=2', { a: '2' }],
  ] as const)('%s is read', (_, encoded, expected) => {
    expect(parseForm(encoded)).toEqual(expected)
  })

  it.each([
    ['an open bracket', 'a[b=1'],
    ['a bracket without a name', '[a]=1'],
    ['text after a bracket', 'a[b]c=1'],
    ['a prototype', '__proto__[polluted]=1'],
    ['a constructor', 'a[constructor][prototype]=1'],
    ['too deep a name', `a${'[b]'.repeat(8)}=1`],
    ['bytes that are no UTF-8', 'a=%c3%28'],
  ] as const)('with %s is refused', (_, encoded) => {
    expect(() => parseForm(encoded)).toThrow('Invalid request')
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })

  it('is the same tree whatever the order of its names', () => {
    const name = fc.stringMatching(/^[a-z]{1,8}$/).filter((word) => word !== 'constructor' && word !== 'prototype')
    const value: fc.Arbitrary<FormValue> = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.dictionary(name, fc.string(), { minKeys: 1 }),
    )
    const pairs = (form: Form): string[] =>
      Object.entries(form).flatMap(([key, held]) =>
        typeof held === 'string'
          ? [`${key}=${encodeURIComponent(held)}`]
          : Object.entries(held as Form).map(
              ([inner, text]) => `${key}[${inner}]=${encodeURIComponent(text as string)}`,
            ),
      )
    fc.assert(
      fc.property(fc.dictionary(name, value), (form) => {
        const sent = pairs(form)
        expect(canonical(parseForm(sent.join('&')))).toBe(canonical(form))
        expect(canonical(parseForm(sent.reverse().join('&')))).toBe(canonical(form))
      }),
    )
  })
})
