/** A database that dies, hangs or comes back, and two gateways on one: on a PostgreSQL of this file's own. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newEventId } from '../../src/model/id.ts'
import { AuditStoreUnavailable, type IntentCommit, type Journal } from '../../src/model/journal.ts'
import { createJournal, migrate, openPostgres } from '../../src/store/postgres/index.ts'
import { administer } from '../services/database.ts'
import { type PostgresService, startPostgres } from '../services/postgres.ts'
import { auditEvent, callId, fingerprint, intentOf, outcomeOf } from './records.ts'

describe('the journal on a PostgreSQL that fails', () => {
  let postgres: PostgresService
  let journal: Journal
  let other: Journal

  beforeAll(async () => {
    postgres = await startPostgres()
    const [one, two] = [openPostgres({ url: postgres.url }), openPostgres({ url: postgres.url })]
    await migrate(one.db)
    journal = createJournal(one)
    other = createJournal(two)
  })
  afterAll(async () => {
    await Promise.all([journal.close(), other.close()])
    await postgres.remove()
  })

  const commit = (to: Journal, id = newEventId()): Promise<IntentCommit> =>
    to.commitIntent(intentOf(id), [auditEvent(id)])
  const faultOf = (write: Promise<unknown>): Promise<unknown> => write.then(() => 'written').catch((error) => error)

  it('refuses while it is dead, and works when it is back, with everything that was answered', async () => {
    const kept = newEventId()
    await commit(journal, kept)
    await postgres.stop('kill')
    const faults = await Promise.all(Array.from({ length: 20 }, () => faultOf(commit(journal))))
    for (const fault of faults) expect(fault).toBeInstanceOf(AuditStoreUnavailable)
    expect(await faultOf(journal.ping())).toBeInstanceOf(AuditStoreUnavailable)
    expect(await faultOf(journal.call(kept))).toBeInstanceOf(AuditStoreUnavailable)
    expect(await faultOf(journal.fold('acme'))).toBeInstanceOf(AuditStoreUnavailable)
    await postgres.start()
    expect(await journal.call(kept)).toMatchObject({ state: 'running' })
    expect(await commit(journal)).toEqual({ kind: 'committed' })
  })

  it('loses nothing that it answered when it is killed under load', async () => {
    const answered: Parameters<typeof journal.call>[0][] = []
    let running = true
    const load = Array.from({ length: 16 }, async () => {
      while (running) {
        const id = newEventId()
        const result = await faultOf(commit(journal, id))
        if (result instanceof AuditStoreUnavailable) await delay(20)
        else answered.push(id)
      }
    })
    await delay(300)
    await postgres.stop('kill')
    await delay(100)
    await postgres.start()
    await delay(300)
    running = false
    await Promise.all(load)
    const calls = await Promise.all(answered.map((id) => journal.call(id)))
    expect(calls.length).toBeGreaterThan(0)
    expect(calls.every((call) => call?.state === 'running')).toBe(true)
  })

  it('refuses what waits, rather than hang, while it says nothing at all', async () => {
    await commit(journal)
    postgres.pause()
    const first = faultOf(commit(journal))
    await delay(50)
    const waiting = Array.from({ length: 5 }, () => faultOf(commit(journal)))
    for (const fault of await Promise.all([first, ...waiting])) expect(fault).toBeInstanceOf(AuditStoreUnavailable)
    postgres.resume()
    expect(await commit(journal)).toEqual({ kind: 'committed' })
  })

  it('refuses when a lock is held too long', async () => {
    const holding = administer(postgres.url, 'begin; lock table claims in exclusive mode; select pg_sleep(6); commit')
    await delay(200)
    const id = newEventId()
    const blocked = journal.commitIntent(intentOf(id, { identities: [callId('locked')] }), [auditEvent(id)])
    expect(await faultOf(blocked)).toBeInstanceOf(AuditStoreUnavailable)
    await holding
    expect(await journal.call(id)).toBeNull()
  })

  it('goes on after its connections were cut one by one', async () => {
    const cut = `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'countersign%'`
    await administer(postgres.url, cut)
    await delay(50)
    expect(await commit(journal)).toEqual({ kind: 'committed' })
  })

  it('serves two gateways that claim and free the same names in opposite orders', async () => {
    const names = Array.from({ length: 8 }, (_, index) => index)
    const results = { committed: 0, twin: 0 }
    const work = async (gateway: Journal, order: readonly number[]): Promise<void> => {
      for (let round = 0; round < 40; round += 1) {
        await Promise.all(
          order.map(async (_, index) => {
            const id = newEventId()
            const pair = [order[index]!, order[(index + 1) % order.length]!]
            const identities = [callId(`both ${pair[0]}`), fingerprint(`both ${pair[1]}`)]
            const result = await gateway.commitIntent(intentOf(id, { identities }), [auditEvent(id)])
            if (result.kind === 'fenced') throw new Error('no generation was raised here')
            results[result.kind] += 1
            if (result.kind === 'committed') await gateway.commitOutcome(outcomeOf(id, { kind: 'failed' }), [])
          }),
        )
      }
    }
    await Promise.all([work(journal, names), work(other, [...names].reverse())])
    expect(results.committed + results.twin).toBe(2 * 40 * names.length)
    const identities = names.flatMap((name) => [callId(`both ${name}`), fingerprint(`both ${name}`)])
    expect(await journal.findTwins(identities)).toEqual([])
  })
})
