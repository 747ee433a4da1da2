import { describe, expect, it } from 'vitest'
import { parseJson } from '../../src/catalogue/index.ts'

const READ = [
  ['an empty object', '{}', {}],
  ['white space around tokens', ' { "a" : [ 1 , -2 , 0 ] } ', { a: [1, -2, 0] }],
  ['a fraction', '{"percent":12.5}', { percent: 12.5 }],
  ['the same name in two objects', '{"a":{"x":1},"b":{"x":2},"x":3}', { a: { x: 1 }, b: { x: 2 }, x: 3 }],
  ['the same name in two elements', '{"a":[{"x":1},{"x":2}]}', { a: [{ x: 1 }, { x: 2 }] }],
  ['a name that is also a value', '{"a":"b","b":"a"}', { a: 'b', b: 'a' }],
  ['braces and quotes in text', '{"a":"{\\"b\\":1,\\"b\\":2}"}', { a: '{"b":1,"b":2}' }],
  ['a backslash at the end of text', '{"a":"\\\\","b":"x"}', { a: '\\', b: 'x' }],
  ['numbers in text', '{"a":"1e3","b":"9007199254740993"}', { a: '1e3', b: '9007199254740993' }],
  ['the largest safe integer', '{"a":9007199254740991}', { a: 9007199254740991 }],
  ['text beyond ASCII', '{"a":"Zoë 🙂"}', { a: 'Zoë 🙂' }],
  ['a surrogate pair in escapes', '{"a":"\\ud83d\\ude42"}', { a: '🙂' }],
  ['a line feed and a tab', '{"a":"x\\n\\ty"}', { a: 'x\n\ty' }],
] as const

describe('a JSON body is read', () => {
  it.each(READ)('with %s', (_, text, value) => {
    expect(parseJson(text)).toEqual(value)
    expect(parseJson(Buffer.from(text))).toEqual(value)
  })
})

const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`
const many = (count: number): string => `{${Array.from({ length: count }, (_, index) => `"p${index}":1`).join(',')}}`

const REFUSED = [
  ['a duplicate name', '{"amount":1,"amount":9999}', 'malformed_request'],
  ['a duplicate name in an inner object', '{"a":{"x":1,"y":{},"x":2}}', 'malformed_request'],
  ['a duplicate name after a list', '{"a":[{"b":1}],"a":2}', 'malformed_request'],
  ['a duplicate name in other spelling', '{"amount":1,"\\u0061mount":9999}', 'malformed_request'],
  ['__proto__', '{"__proto__":{"amount":1}}', 'malformed_request'],
  ['__proto__ in escapes', '{"a":{"__pr\\u006fto__":1}}', 'malformed_request'],
  ['constructor', '{"constructor":{"prototype":{}}}', 'malformed_request'],
  ['an exponent', '{"amount":1e3}', 'malformed_request'],
  ['a capital exponent', '{"amount":1E3}', 'malformed_request'],
  ['a fraction of zero', '{"amount":5000.0}', 'malformed_request'],
  ['an integer beyond 2^53', '{"amount":9007199254740993}', 'malformed_request'],
  ['an integer beyond any double', `{"amount":1${'0'.repeat(400)}}`, 'malformed_request'],
  ['minus zero', '{"amount":-0}', 'malformed_request'],
  ['a number in a list', '{"a":[1,2,1e3]}', 'malformed_request'],
  ['NaN', '{"amount":NaN}', 'malformed_request'],
  ['hexadecimal', '{"amount":0x10}', 'malformed_request'],
  ['a leading zero', '{"amount":05}', 'malformed_request'],
  ['a NUL in text', '{"a":"x\\u0000"}', 'malformed_request'],
  ['an escape character in text', '{"a":"\\u001b[2J"}', 'malformed_request'],
  ['half of a surrogate pair', '{"a":"\\ud83d"}', 'malformed_request'],
  ['a trailing comma', '{"a":1,}', 'malformed_request'],
  ['a second object', '{"a":1}{"a":2}', 'malformed_request'],
  ['a list at the top', '[1]', 'malformed_request'],
  ['null at the top', 'null', 'malformed_request'],
  ['nothing', '', 'malformed_request'],
  ['a byte order mark', '\ufeff{}', 'malformed_request'],
  ['a depth of 33', deep(33), 'request_too_large'],
  ['a depth of 1,000', deep(1000), 'request_too_large'],
  ['1,001 params', many(1001), 'request_too_large'],
  ['10,000 elements', `{"a":[${Array(10_000).fill('1').join(',')}]}`, 'request_too_large'],
] as const

describe('a JSON body is refused', () => {
  it.each(REFUSED)('with %s', (_, text, code) => {
    expect(parseJson(text)).toMatchObject({ refused: true, code })
  })

  it('with bytes that are not UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')])
    expect(parseJson(bytes)).toMatchObject({ code: 'malformed_request', detail: 'The body is not valid UTF-8.' })
  })

  it('with an overlong encoding of a quote', () => {
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc0, 0xa2]), Buffer.from('"}')])
    expect(parseJson(bytes)).toMatchObject({ code: 'malformed_request' })
  })

  it('not at the limits themselves', () => {
    expect(parseJson(deep(32))).toHaveProperty('a')
    expect(parseJson(many(1000))).toHaveProperty('p999')
  })

  it("by the caller's own limits", () => {
    expect(parseJson('{"a":1,"b":2}', { depth_max: 1, params_max: 1 })).toMatchObject({ code: 'request_too_large' })
  })
})
