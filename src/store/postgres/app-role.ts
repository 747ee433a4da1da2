/**
 * The role that the gateway works as: it may insert into history and read it, and nothing else there. Whoever connects (the
 * owner, most likely) takes it on at once and steps out of it only to migrate. So a mistake in a statement cannot touch
 * history, and the triggers stand behind that for the owner. Where the database let no role be made, the triggers stand alone.
 */
export const APP_ROLE = 'countersign_app'

/** Takes the role on where this database grants it what it needs and this user is in it; without effect otherwise. */
export const ASSUME_APP_ROLE = `
  select set_config('role', rolname, false) from pg_roles
  where rolname = '${APP_ROLE}' and pg_has_role(session_user, oid, 'member')
    and has_table_privilege(oid, to_regclass('audit_events'), 'insert')`

export const LEAVE_APP_ROLE = 'reset role'
