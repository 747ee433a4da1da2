/**
 * The audit store on PostgreSQL and, embedded, on PGlite: one set of migrations, one set of statements, one set of tests.
 * It promises that what it answered is committed; that history takes inserts only, by the database's own refusal; that an
 * intent is refused once its generation is over; that one event has one final outcome; and that a database which does not
 * answer becomes a fault in seconds, never a call that waits.
 */
export { createCredentialStore } from './credential-store.ts'
export { createJournal } from './journal.ts'
export { createKeyStore } from './key-store.ts'
export { migrate, pendingMigrations } from './migrate.ts'
export { openPglite, prepareDataDir } from './open-pglite.ts'
export { openPostgres } from './open-postgres.ts'
export type { Opened } from './opened.ts'
export { createRevisionStore } from './policy-store.ts'
