/** Migrating: once, in order, by one gateway at a time, and never backwards. */
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { migrate, openPostgres, pendingMigrations } from '../../src/store/postgres/index.ts'
import { administer, type FreshDatabase, freshDatabase } from '../services/database.ts'

describe('migrating', () => {
  let database: FreshDatabase
  beforeAll(async () => {
    database = await freshDatabase(inject('postgresUrl'))
  })
  afterAll(() => database.drop())

  it('by six gateways that start at once is done by one of them, and all go on', async () => {
    const gateways = Array.from({ length: 6 }, () => openPostgres({ url: database.url }))
    const pending = [
      '0001-journal',
      '0002-write-batch',
      '0003-keys',
      '0004-app-role',
      '0005-policies',
      '0006-policy-modules',
      '0007-find-twins',
    ]
    expect(await pendingMigrations(gateways[0]!.db)).toEqual(pending)
    const applied = await Promise.all(gateways.map(({ db }) => migrate(db)))
    expect(applied.filter((names) => names.length > 0)).toEqual([pending])
    expect(await pendingMigrations(gateways[0]!.db)).toEqual([])
    await Promise.all(gateways.map((gateway) => gateway.close()))
  })

  it('refuses a database that is newer than the code, and says what to do', async () => {
    const opened = openPostgres({ url: database.url })
    await opened.db.connection().execute(async (owner) => {
      await sql`reset role`.execute(owner)
      await sql`insert into countersign_migrations (name, timestamp) values ('9999-later', '2030')`.execute(owner)
    })
    await expect(migrate(opened.db)).rejects.toThrow(/newer than this gateway.*9999-later.*Start a gateway/)
    await opened.close()
  })

  it('says which step failed, and leaves nothing behind', async () => {
    const taken = await freshDatabase(inject('postgresUrl'))
    const opened = openPostgres({ url: taken.url })
    await sql`create table vault_keys (id integer)`.execute(opened.db)
    await expect(migrate(opened.db)).rejects.toThrow(/0003-keys failed, and nothing was changed: .*already exists/)
    const { rows } = await sql<{ present: boolean }>`
      select to_regclass('audit_events') is not null as present`.execute(opened.db)
    expect(rows).toEqual([{ present: false }])
    await opened.close()
    await taken.drop()
  })

  it('works for an owner who may not make roles: the triggers stand alone', async () => {
    const owner = 'plain_owner'
    const plain = await freshDatabase(inject('postgresUrl'))
    const url = new URL(plain.url)
    url.username = owner
    await administer(plain.url, `create role ${owner} login`)
    await administer(plain.url, `alter database ${url.pathname.slice(1)} owner to ${owner}`)
    const opened = openPostgres({ url: url.href })
    await migrate(opened.db)
    await expect(sql`delete from audit_events`.execute(opened.db)).rejects.toThrow('take inserts only')
    await opened.close()
    await plain.drop()
    await administer(inject('postgresUrl'), `drop role ${owner}`)
  })
})
