/** What the commands make of words from the shell, and of rows from the trail: pure. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { timeOf } from '../../src/cli/audit.ts'
import { auditLine } from '../../src/cli/audit-line.ts'
import { callParams } from '../../src/cli/call-params.ts'
import { isAtLeast } from '../../src/cli/doctor/local.ts'
import { keyRequest } from '../../src/cli/key-request.ts'
import { CliError, table } from '../../src/cli/output.ts'
import type { AuditEvent } from '../../src/model/event.ts'
import type { EventId } from '../../src/model/id.ts'

const PARAMS = [
  ['an integer is a number', ['amount=500'], { amount: 500 }],
  ['a negative integer is a number', ['amount=-5'], { amount: -5 }],
  ['a fraction stays a text', ['amount=5.5'], { amount: '5.5' }],
  ['an exponent stays a text', ['amount=1e3'], { amount: '1e3' }],
  ['a leading zero stays a text', ['zip=0500'], { zip: '0500' }],
  ['an integer that would lose precision stays a text', ['id=9007199254740993'], { id: '9007199254740993' }],
  ['true and false are typed', ['capture=true', 'confirm=false'], { capture: true, confirm: false }],
  ['True is a text', ['name=True'], { name: 'True' }],
  ['an empty value is an empty text', ['email='], { email: '' }],
  ['a value may hold equal signs and colons', ['url=https://a.example/?b=c'], { url: 'https://a.example/?b=c' }],
  ['JSON nests', ['metadata:={"order":"7"}'], { metadata: { order: '7' } }],
  ['JSON makes a text of digits', ['zip:="500"'], { zip: '500' }],
] as const

const NOT_PARAMS = [
  ['a word is refused', ['amount'], 'is not a param'],
  ['no name is refused', ['=5'], 'is not a param'],
  ['a name given twice is refused', ['amount=1', 'amount=2'], 'given twice'],
  ['broken JSON is refused', ['metadata:={'], 'metadata'],
  ['a duplicate name in JSON is refused', ['metadata:={"a":1,"a":2}'], 'metadata'],
] as const

describe('params from the shell', () => {
  it.each(PARAMS)('%s', (_name, pairs, params) => expect(callParams(pairs, undefined)).toEqual(params))
  it.each(NOT_PARAMS)('%s', (_name, pairs, words) => {
    expect(() => callParams(pairs, undefined)).toThrow(CliError)
    expect(() => callParams(pairs, undefined)).toThrow(words)
  })
  it('pairs go before --params', () =>
    expect(callParams(['amount=2'], '{"amount":1,"charge":"ch_1"}')).toEqual({ amount: 2, charge: 'ch_1' }))
  it('a name from the prototype stays a plain name', () => {
    const params = callParams(['toString=x'], undefined)
    expect(Object.getPrototypeOf(params)).toBe(Object.prototype)
    expect(params.toString).toBe('x')
  })
})

const BUDGETS = [
  ['run lifetime 2500 usd', { scope: 'run', window: 'lifetime', cap: 2500, currency: 'usd' }],
  ['agent+provider day 0 eur', { scope: 'agent+provider', window: 'day', cap: 0, currency: 'eur' }],
  ['project month 9 usd billing', { scope: 'project', window: 'month', cap: 9, currency: 'usd', subject: 'billing' }],
] as const

const NOT_BUDGETS = [
  ['runs lifetime 2500 usd', '"runs" is not a scope'],
  ['run forever 2500 usd', '"forever" is not a window'],
  ['run day 25.00 usd', '"25.00" is not a cap'],
  ['run day -1 usd', '"-1" is not a cap'],
  ['run day 9007199254740993 usd', 'is not a cap'],
  ['run day 2500 USD', '"USD" is not a currency'],
  ['run day 2500', '"" is not a currency'],
  ['run day 2500 usd conv-1 more', '"more" is too much'],
] as const

describe('a vault key from options', () => {
  it.each(BUDGETS)('--budget "%s"', (text, budget) =>
    expect(keyRequest({ agent: 'me', budget: [text] })).toEqual({ agent: { id: 'me' }, budgets: [budget] }),
  )
  it.each(NOT_BUDGETS)('--budget "%s" is refused', (text, words) =>
    expect(() => keyRequest({ agent: 'me', budget: [text] })).toThrow(words),
  )
  it('a key needs an agent', () => expect(() => keyRequest({ run: 'conv-1' })).toThrow('The key has no agent.'))
  it('options go before the file, and what only the file says stays', () => {
    const dir = mkdtempSync(join(tmpdir(), 'countersign-key-'))
    const file = join(dir, 'key.json')
    const limits = [{ param: 'amount', max: 5000 }]
    writeFileSync(file, JSON.stringify({ agent: { id: 'old', role: 'clerk' }, run: 'conv-1', limits }))
    expect(keyRequest({ file, agent: 'new', ttl: '1h' })).toEqual({
      agent: { id: 'new', role: 'clerk' },
      run: 'conv-1',
      ttl: '1h',
      limits,
    })
    rmSync(dir, { recursive: true })
  })
})

describe('a row as a line', () => {
  const event = {
    id: 'row-1',
    event_id: 'call-1' as EventId,
    kind: 'decision',
    ts: '2026-11-21T09:00:00.000Z',
    organisation: 'acme',
    agent: 'billing-1',
    action: 'stripe:refunds:create',
    decision: 'deny',
    reason: 'policy_denied',
    reasons: [{ code: 'denied_by_rule', message: 'Too much.', rule: 'tool_decision.deny' }],
    cost: 500,
    currency: 'usd',
  } as const satisfies AuditEvent

  it('tells time, agent, action, decision, cost, event and reason', () =>
    expect(auditLine(event).split(/ {2,}/)).toEqual([
      '2026-11-21T09:00:00.000Z',
      'billing-1',
      'stripe:refunds:create',
      'deny',
      '5.00 USD',
      'call-1',
      'policy_denied: Too much.',
    ]))
  it('tells how a call ended', () => {
    const line = auditLine({
      ...event,
      kind: 'outcome',
      outcome: 'unknown',
      decision: 'allow' as never,
      reason: 'reset',
    })
    expect(line).toContain('  unknown  ')
    expect(line).toMatch(/ {2}reset$/)
  })
  it('shows what an agent wrote without obeying it', () => {
    const line = auditLine({ ...event, agent: 'a\u001b[2Jb\u202ec\nd' })
    expect(line).toContain('a\\u001b[2Jb\\u202ec\\u000ad')
    expect(table([['\u001b]0;x\u0007', 'y']])).toBe('\\u001b]0;x\\u0007  y')
  })
})

describe('times and versions', () => {
  it('a duration is so long ago', () => {
    const ago = Date.now() - Date.parse(timeOf('2h'))
    expect(ago).toBeGreaterThanOrEqual(7_200_000)
    expect(timeOf('2026-01-31T12:00:00Z')).toBe('2026-01-31T12:00:00.000Z')
  })
  it.each(['yesterday', '5', '2 h', '2026-13-01'])('%s is no time', (text) => expect(() => timeOf(text)).toThrow('15m'))
  it.each([
    ['20.18.1', true],
    ['20.18.0', false],
    ['20.9.5', false],
    ['22.0.0', true],
    ['18.20.4', false],
  ] as const)('Node %s is new enough: %s', (version, enough) => expect(isAtLeast(version, [20, 18, 1])).toBe(enough))
})
