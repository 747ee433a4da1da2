import { describe, expect, it } from 'vitest'
import { parseJson } from '../../src/forward/answer.ts'

const CASES: readonly (readonly [name: string, text: string, value: unknown])[] = [
  [
    'integers up to 2^53 - 1 are numbers',
    '[9007199254740991,-9007199254740991]',
    [9007199254740991, -9007199254740991],
  ],
  ['integers beyond are their digits', '{"a":9007199254740993}', { a: '9007199254740993' }],
  ['negative ones too', '[ -12345678901234567890 ]', ['-12345678901234567890']],
  ['and one that stands alone', '12345678901234567890', '12345678901234567890'],
  [
    'digits in a string stay as they are',
    '{"12345678901234567890":"x 12345678901234567890"}',
    { '12345678901234567890': 'x 12345678901234567890' },
  ],
  [
    'also after an escaped quote',
    '["\\" 12345678901234567890", 12345678901234567890]',
    ['" 12345678901234567890', '12345678901234567890'],
  ],
  ['also after an escaped backslash', '["\\\\", 12345678901234567890]', ['\\', '12345678901234567890']],
  [
    'fractions and exponents are no integers',
    '[1.12345678901234567890,1e-12345678901234567890,12345678901234567890e2]',
    [1.1234567890123457, 0, 1.2345678901234568e21],
  ],
  ['what is not JSON is undefined', '{"a":12345678901234567890', undefined],
  ['nothing is undefined', '', undefined],
]

describe('the JSON of an answer', () => {
  it.each(CASES)('%s', (_, text, value) => {
    expect(parseJson(text)).toEqual(value)
  })

  it('may hold a string of many megabytes', () => {
    const text = '"\\'.repeat(2_000_000)
    expect(parseJson(`{"text":${JSON.stringify(text)},"id":12345678901234567890}`)).toEqual({
      text,
      id: '12345678901234567890',
    })
  })
})
