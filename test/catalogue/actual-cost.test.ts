import { describe, expect, it } from 'vitest'
import { actualCost } from '../../src/catalogue/index.ts'
import type { Json } from '../../src/model/operation.ts'
import { catalogue, operation } from './stripe.ts'

const RESERVED = { value: 5000, currency: 'usd' }
const usd = (value: number) => ({ value, currency: 'usd' })

const CASES = [
  ['a refund costs what it says', 'create_refund', { amount: 3000, currency: 'usd' }, usd(3000)],
  ['a refund of more than was reserved, too', 'create_refund', { amount: 7000, currency: 'usd' }, usd(7000)],
  ['a refund of nothing costs nothing', 'create_refund', { amount: 0, currency: 'usd' }, usd(0)],
  ['a refund in its own currency', 'create_refund', { amount: 3, currency: 'eur' }, { value: 3, currency: 'eur' }],
  ['a capture costs what was captured', 'capture_charge', { amount: 9, amount_captured: 4, currency: 'usd' }, usd(4)],
  ['an answer that does not say it', 'create_refund', { object: 'refund' }, RESERVED],
  ['an amount without a currency', 'create_refund', { amount: 3000 }, RESERVED],
  ['an unknown currency', 'create_refund', { amount: 3000, currency: 'zzz' }, RESERVED],
  ['an amount in a string', 'create_refund', { amount: '3000', currency: 'usd' }, RESERVED],
  ['an amount with a fraction', 'create_refund', { amount: 0.5, currency: 'usd' }, RESERVED],
  ['an amount below nothing', 'create_refund', { amount: -1, currency: 'usd' }, RESERVED],
  ['an answer that is no object', 'create_refund', null, RESERVED],
  ['an operation whose answer tells it nowhere', 'create_payment_intent', { amount: 1, currency: 'usd' }, RESERVED],
] as const satisfies readonly (readonly [string, string, Json, object])[]

describe('what a call cost, by its answer', () => {
  it.each(CASES)('%s', (_, name, body, cost) => {
    expect(actualCost(operation(name), RESERVED, { status: 200, headers: {}, body })).toEqual(cost)
  })

  it('is what was reserved where no answer came', () => {
    expect(actualCost(operation('create_refund'), RESERVED, undefined)).toEqual(RESERVED)
  })

  it('is looked for in the answers of costed operations only', () => {
    expect(catalogue.operations().filter(({ actual, cost }) => actual && cost === 'none')).toEqual([])
  })
})
