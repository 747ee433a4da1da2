/** The way back, as the history has it. */
import { expect, it } from 'vitest'
import { theOneBefore } from '../../src/revisions/history.ts'

const put = (revision: string) => ({ revision, origin: 'file' as const })
const back = (revision: string) => ({ revision, origin: 'rollback' as const })

const HISTORIES = [
  { name: 'nothing is before the first', oldestFirst: [put('A')], before: null },
  { name: 'the one before is the one before', oldestFirst: [put('A'), put('B')], before: 'A' },
  {
    name: 'a rollback goes on from where it went',
    oldestFirst: [put('A'), put('B'), put('C'), back('B')],
    before: 'A',
  },
  { name: 'two rollbacks end at the first', oldestFirst: [put('A'), put('B'), back('A')], before: null },
  {
    name: 'what came after a rollback returns to its aim',
    oldestFirst: [put('A'), put('B'), back('A'), put('C')],
    before: 'A',
  },
  { name: 'what was put there again is no step', oldestFirst: [put('A'), put('B'), put('B')], before: 'A' },
] as const

it.each(HISTORIES)('$name', ({ oldestFirst, before }) => {
  expect(theOneBefore([...oldestFirst].reverse())).toBe(before)
})
