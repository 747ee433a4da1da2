/** Compiled policies, so that gateways which follow need not compile. Inserts only. */
import { type Kysely, sql } from 'kysely'
import { APP_ROLE } from '../app-role.ts'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table policy_modules (
      compiled_as text primary key,
      packed bytea not null,
      signature bytea not null,
      created_at timestamptz(3) not null
    )`.execute(db)
  // As with the files of a revision: what is packed does not get smaller.
  await sql`alter table policy_modules alter column packed set storage external`.execute(db)
  await sql`
    create trigger insert_only before update or delete or truncate on policy_modules
    for each statement execute function refuse_change()`.execute(db)
  await sql
    .raw(`
    do $$
    begin
      if exists (select from pg_roles where rolname = '${APP_ROLE}') then
        grant select, insert on policy_modules to ${APP_ROLE};
      end if;
    exception when insufficient_privilege then
      raise notice 'the role ${APP_ROLE} could not be granted the table of compiled policies';
    end $$`)
    .execute(db)
}
