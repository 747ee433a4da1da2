/** Text as policy and provider must both see it: well-formed, without hidden characters, in one normal form. */

/** Never a param's name: objects that carry them change how programs behave. */
const FORBIDDEN_NAMES = new Set(['__proto__', 'constructor', 'prototype'])

export const isForbiddenName = (name: string): boolean => FORBIDDEN_NAMES.has(name)

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const UNPRINTABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/
const LONE_SURROGATE = /\p{Surrogate}/u

/** What is wrong with the text, in words; undefined where nothing is. */
export function wrongWith(text: string): string | undefined {
  if (UNPRINTABLE.test(text)) return text.includes('\0') ? 'has a NUL character' : 'has a control character'
  if (LONE_SURROGATE.test(text)) return 'has half of a surrogate pair'
  return undefined
}
