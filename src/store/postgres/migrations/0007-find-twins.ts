/**
 * The look for twins, in the database for the same reason as `write_batch`: its plan is made once a connection, perhaps
 * while there are hardly any claims, when reading the whole table looks cheap. Told to go by the index, it stays right.
 */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function find_twins(p_names text[], p_windows_s integer[])
    returns table (place integer, digest text, event_id uuid) stable language plpgsql
    set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
    set plan_cache_mode = force_generic_plan set jit = off
    as $$
    #variable_conflict use_column
    begin
      return query
        select asked.place::integer, c.digest, c.event_id
        from unnest(p_names, p_windows_s) with ordinality as asked(name, window_s, place)
        join claims c on c.name = asked.name
        where least(asked.window_s, c.window_s) is null
          or c.claimed_at >= clock_timestamp() - make_interval(secs => least(asked.window_s, c.window_s))
        order by asked.place;
    end $$`.execute(db)
}
