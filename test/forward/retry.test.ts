import { describe, expect, it } from 'vitest'
import { delay, retryAfter } from '../../src/forward/retry.ts'

const LIMITS = { count: 3, delay_ms: 500, delay_ms_max: 1_500, retry_after_ms_max: 60_000 }

const DELAYS = [
  ['the first wait is drawn from its spread', { attempts: 1 }, 250],
  ['each spread is twice the last', { attempts: 2 }, 500],
  ['up to its limit', { attempts: 3 }, 750],
  ['after the last repeat there is none', { attempts: 4 }, null],
  ['a longer Retry-After is obeyed', { attempts: 1, asked: 3_000 }, 3_000],
  ['a shorter one does not shorten the wait', { attempts: 2, asked: 100 }, 500],
  ['the longest Retry-After is still waited for', { attempts: 1, asked: 60_000 }, 60_000],
  ['one beyond it ends the call', { attempts: 1, asked: 60_001 }, null],
  ['a wait that leaves time is taken', { attempts: 1, left: 251 }, 250],
  ['a wait that would use all of the time is not', { attempts: 1, left: 250 }, null],
] as const

describe('the wait before the next attempt', () => {
  it.each(DELAYS)('%s', (_, given, expected) => {
    const { attempts, asked = 0, left = 100_000 } = { asked: 0, left: 100_000, ...given }
    expect(delay(LIMITS, attempts, asked, left, () => 0.5)).toBe(expected)
  })
})

const NOW = Date.UTC(2026, 10, 21, 8, 0, 0)

const HEADERS = [
  ['absent', undefined, 0],
  ['seconds', '7', 7_000],
  ['a date to come', 'Sat, 21 Nov 2026 08:00:30 GMT', 30_000],
  ['a date that has passed', 'Sat, 21 Nov 2026 07:00:00 GMT', 0],
  ['neither', 'soon', 0],
  ['a negative number', '-5', 0],
  ['empty', '', 0],
] as const

describe('Retry-After', () => {
  it.each(HEADERS)('%s', (_, value, expected) => {
    expect(retryAfter(value, NOW)).toBe(expected)
  })
})
