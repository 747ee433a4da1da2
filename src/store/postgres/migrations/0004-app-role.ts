/** The app's role and what it may do. Making a role takes a right of its own: without it, migration goes on and says so. */
import { type Kysely, sql } from 'kysely'
import { APP_ROLE } from '../app-role.ts'

const HISTORY = 'audit_events, intents, outcomes, ledger'
const PRESENT = 'open_calls, claims, generations, gateways, vault_keys, upstream_credentials'

export async function up(db: Kysely<unknown>): Promise<void> {
  // Roles belong to the whole server: another database's migration may have made it, or be making it now.
  await sql
    .raw(`
    do $$
    begin
      if not exists (select from pg_roles where rolname = '${APP_ROLE}') then
        begin
          create role ${APP_ROLE} nologin;
        exception when duplicate_object or unique_violation then null;
        end;
      end if;
      if not pg_has_role(current_user, '${APP_ROLE}', 'member') then
        grant ${APP_ROLE} to current_user;
      end if;
      execute format('grant usage on schema %I to ${APP_ROLE}', current_schema());
      grant select, insert on ${HISTORY} to ${APP_ROLE};
      grant select, insert, update, delete on ${PRESENT} to ${APP_ROLE};
    exception when insufficient_privilege then
      raise notice 'the role ${APP_ROLE} could not be made or granted: only the triggers keep history as it is';
    end $$`)
    .execute(db)
}
