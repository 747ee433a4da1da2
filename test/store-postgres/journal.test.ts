/** Every promise of the journal's port, on both engines. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newEventId } from '../../src/model/id.ts'
import type { Journal } from '../../src/model/journal.ts'
import { createJournal } from '../../src/store/postgres/index.ts'
import { ENGINES, type Fresh } from './engines.ts'
import { auditEvent, callId, fingerprint, intentOf, outcomeOf } from './records.ts'

describe.each(ENGINES)('the journal on $engine', ({ fresh }) => {
  let database: Fresh
  let journal: Journal

  beforeAll(async () => {
    database = await fresh()
    journal = createJournal(database.opened)
  })
  afterAll(() => database.remove())

  it('keeps an audit row as it was given', async () => {
    const event = auditEvent(newEventId())
    await journal.append([event])
    expect(await journal.query({ event_id: event.event_id })).toEqual([event])
  })

  it('commits an intent with its decision row, and tells the call back', async () => {
    const id = newEventId()
    const held = [{ counter: 'run=a|usd', amount: 500 }]
    const intent = intentOf(id, { identities: [callId('first')], held })
    const event = auditEvent(id)
    expect(await journal.commitIntent(intent, [event])).toEqual({ kind: 'committed' })
    const { generation: _, ...known } = intent
    expect(await journal.call(id)).toEqual({
      ...known,
      state: 'running',
      committed_at: expect.stringMatching(/^20.*Z$/),
      event,
    })
    const answer = Buffer.from('answer')
    expect(await journal.commitOutcome(outcomeOf(id, { spent: held, sealed_answer: answer }), [])).toBe(true)
    expect(await journal.call(id)).toMatchObject({ state: 'succeeded', sealed_answer: answer })
  })

  it('answers a twin with the event that holds the identity', async () => {
    const first = newEventId()
    const second = newEventId()
    const identities = [callId('twin'), fingerprint('twin')]
    await journal.commitIntent(intentOf(first, { identities }), [auditEvent(first)])
    const again = intentOf(second, { identities: [callId('other'), fingerprint('twin')] })
    expect(await journal.commitIntent(again, [auditEvent(second)])).toEqual({ kind: 'twin', event_id: first })
  })
})
