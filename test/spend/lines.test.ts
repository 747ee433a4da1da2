import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { Budget, BudgetLine } from '../../src/model/budget.ts'
import type { Money } from '../../src/model/money.ts'
import { isRefusal } from '../../src/model/refusal.ts'
import { cappedRefusal, heldBy, linesFor, type SpendingCall, settledBy } from '../../src/spend/index.ts'

interface Case {
  readonly name: string
  readonly call?: Readonly<Record<string, string | null>>
  readonly now?: string
  readonly amount?: string | null
  readonly budgets: readonly Budget[]
  readonly rates?: Readonly<Record<string, number>>
  readonly gives?: readonly string[]
  readonly labels?: readonly string[]
  readonly held?: Readonly<Record<string, number>>
  readonly refuses?: string
  readonly says?: string
}

const CALL = {
  organisation: 'acme',
  project: 'billing',
  agent: 'a1',
  role: 'tier-1',
  run: 'r1',
  key: 'vk_1',
  customer: 'cus_1',
  provider: 'stripe',
  group: 'payments.refund',
}

const callOf = (changes: Readonly<Record<string, string | null>> = {}): SpendingCall =>
  Object.fromEntries(
    Object.entries({ ...CALL, ...changes }).filter(([, value]) => value !== null),
  ) as unknown as SpendingCall

function moneyOf(text: string | null): Money | undefined {
  if (text === null) return undefined
  const [value, currency] = text.split(' ')
  return { value: Number(value), currency: currency! }
}

const said = ({ counter, amount, cap, ends_at }: BudgetLine): string =>
  `${counter} ${amount} of ${cap}${ends_at === undefined ? '' : `, until ${ends_at}`}`

const cases = parse(readFileSync(new URL('./lines.cases.yaml', import.meta.url), 'utf8')) as Case[]

describe('what a call draws from its budgets', () => {
  for (const {
    name,
    call,
    now,
    amount = '500 usd',
    budgets,
    rates = {},
    gives,
    labels,
    held,
    refuses,
    says,
  } of cases) {
    it(name, () => {
      const lines = linesFor({
        budgets,
        call: callOf(call),
        amount: moneyOf(amount),
        now: new Date(now ?? '2026-11-21T09:30:00Z'),
        rates,
      })
      if (isRefusal(lines)) {
        expect(lines.code).toBe(refuses)
        expect(lines.detail).toContain(says ?? '')
        return
      }
      expect(lines.map(said)).toEqual(gives)
      if (labels !== undefined) expect(lines.map(({ budget }) => budget)).toEqual(labels)
      if (held !== undefined) {
        expect(Object.fromEntries(heldBy(lines).map((entry) => [entry.counter, entry.amount]))).toEqual(held)
      }
    })
  }

  it('alerts at 50, 80 and 100 % unless the budget says otherwise', () => {
    const budget = { scope: 'key', window: 'day', cap: 10, currency: 'usd' } as const
    const lines = linesFor({
      budgets: [budget, { ...budget, alerts: [90] }, { ...budget, alerts: [] }],
      call: callOf(),
      amount: undefined,
      now: new Date(),
      rates: {},
    }) as readonly BudgetLine[]
    expect(lines.map(({ alerts }) => alerts)).toEqual([[50, 80, 100], [90], []])
  })
})

describe('the refusal of a call that would pass a cap', () => {
  const line = {
    counter: 'key=vk_1|day=2026-11-21|usd',
    budget: 'key vk_1 per day',
    scope: 'key',
    window: 'day',
    cap: 1000,
    currency: 'usd',
    amount: 500,
    alerts: [],
    ends_at: '2026-11-22T00:00:00Z',
  } as const satisfies BudgetLine

  it('names the budget, the cap, what is spent, reserved and asked, and when the window ends', () => {
    expect(cappedRefusal(line, { spent: 400, reserved: 200 })).toEqual({
      refused: true,
      code: 'spend_cap_exceeded',
      detail:
        'The call would pass the cap of the budget "key vk_1 per day": cap 10.00 USD, spent 4.00 USD, reserved 2.00 USD, asked 5.00 USD; the window ends 2026-11-22T00:00:00Z.',
    })
  })

  it('leaves out what a cap on one call does not have', () => {
    const { ends_at: _, ...once } = { ...line, budget: 'key vk_1 per call', window: 'call' as const, cap: 499 }
    expect(cappedRefusal(once, { spent: 0, reserved: 0 }).detail).toBe(
      'The call would pass the cap of the budget "key vk_1 per call": cap 4.99 USD, asked 5.00 USD.',
    )
  })
})

describe('what settles', () => {
  const held = [
    { counter: 'key=vk_1|day=2026-11-21|usd', amount: 500, ends_at: '2026-11-22T00:00:00Z' },
    { counter: 'agent=a1|lifetime|eur', amount: 450 },
  ]
  const rates = { 'usd/eur': 0.9 }

  it('is what was held, where the actual cost is not known', () => {
    expect(settledBy(held)).toEqual(held)
  })
  it('is the actual cost, in the currency of each counter', () => {
    expect(settledBy(held, { value: 101, currency: 'usd' }, rates)).toEqual([
      { ...held[0], amount: 101 },
      { ...held[1], amount: 91 },
    ])
  })
  it('is nothing where nothing was spent', () => {
    expect(settledBy(held, { value: 0, currency: 'usd' }, rates)).toEqual([])
  })
  it('is what was held in a counter whose rate is gone', () => {
    expect(settledBy(held, { value: 101, currency: 'usd' }, {})).toEqual([{ ...held[0], amount: 101 }, held[1]])
  })
})
