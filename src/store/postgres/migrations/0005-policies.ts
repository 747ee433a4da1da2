/** The history of policies: what each revision is made of, and which was in force since when. Inserts only. */
import { type Kysely, sql } from 'kysely'
import { APP_ROLE } from '../app-role.ts'

const TABLES = ['policy_revisions', 'policy_changes']

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table policy_revisions (
      revision text primary key,
      own_digest text not null,
      packed bytea not null,
      signature bytea not null,
      public_key bytea not null,
      created_at timestamptz(3) not null
    )`.execute(db)
  await sql`create index policy_revisions_own on policy_revisions (own_digest)`.execute(db)
  // Packed files do not get smaller, so no time is spent on trying.
  await sql`alter table policy_revisions alter column packed set storage external`.execute(db)
  await sql`
    create table policy_changes (
      seq bigint primary key check (seq > 0),
      revision text not null references policy_revisions,
      own_digest text not null,
      previous text,
      origin text not null check (origin in ('file', 'admin', 'bundle', 'rollback')),
      by text not null,
      at timestamptz(3) not null,
      signature bytea not null
    )`.execute(db)
  for (const table of TABLES) {
    await sql`
      create trigger insert_only before update or delete or truncate on ${sql.table(table)}
      for each statement execute function refuse_change()`.execute(db)
  }
  await sql
    .raw(`
    do $$
    begin
      if exists (select from pg_roles where rolname = '${APP_ROLE}') then
        grant select, insert on ${TABLES.join(', ')} to ${APP_ROLE};
      end if;
    exception when insufficient_privilege then
      raise notice 'the role ${APP_ROLE} could not be granted the tables of policies';
    end $$`)
    .execute(db)
}
