/**
 * The journal's two writers, in the database, so that a batch of calls is one round trip and one commit.
 *
 * `write_batch` answers one row for each item that was not done: fenced, twin (with the holder's event id) or stands (an
 * earlier final outcome does). Nothing of such an item is written. Locks are taken in one order by everybody: organisations'
 * fences, claims by name, outcomes by event.
 *
 * Its plans are made once a connection, perhaps while the tables are still empty, when reading a whole table looks cheap: so
 * it is told to go by the indexes, which is right at any size.
 */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function fence_of(organisation text) returns integer immutable language sql
    return hashtext(organisation)`.execute(db)

  // The shared lock lasts until the batch has committed, so whoever holds it alone has every older intent before it.
  await sql`
    create function raise_generation(p_organisation text) returns bigint language plpgsql as $$
    declare
      v_generation bigint;
    begin
      perform pg_advisory_xact_lock(17235, fence_of(p_organisation));
      insert into generations as g (organisation, generation) values (p_organisation, 1)
        on conflict (organisation) do update set generation = g.generation + 1
        returning g.generation into v_generation;
      return v_generation;
    end $$`.execute(db)

  await sql`
    create function write_batch(
      p_events json, p_fence json, p_intents json, p_identities json, p_held json, p_outcomes json, p_spent json
    ) returns table (item integer, result text, holder uuid) language plpgsql
    set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off
    set plan_cache_mode = force_generic_plan set jit = off
    as $$
    #variable_conflict use_column
    declare
      v_now timestamptz;
      v_first boolean;
      v_claimed integer;
      v_failed text[] := '{}';
      v_fenced integer[] := '{}';
      v_lost integer[] := '{}';
      v_holders uuid[] := '{}';
      v_out integer[];
      v_stands integer[] := '{}';
      v_orphaned boolean;
    begin
      if json_array_length(p_fence) > 0 then
        perform pg_advisory_xact_lock_shared(17235, fence)
          from (select distinct fence_of(x.organisation) as fence
                from json_to_recordset(p_fence) as x(organisation text) order by 1) as fences;
        select coalesce(array_agg(x.item) filter (
                 where coalesce(g.generation, 0) <> x.generation
                   or exists (select from intents i where i.event_id = x.event_id and i.voided)), '{}'),
               bool_or(g.organisation is null)
          into v_fenced, v_first
          from json_to_recordset(p_fence) as x(item integer, event_id uuid, organisation text, generation bigint)
          left join generations g on g.organisation = x.organisation;
        if v_first then
          insert into generations (organisation, generation)
            select distinct x.organisation, 0 from json_to_recordset(p_fence) as x(organisation text)
            order by 1 on conflict do nothing;
        end if;
      end if;

      -- No other text in there can be this one; were it so, the query would still find nothing.
      if strpos(p_outcomes::text, '"failed"') > 0 then
        select coalesce(array_agg(identity ->> 'name'), '{}') into v_failed
          from json_to_recordset(p_outcomes) as x(event_id uuid, kind text)
          join intents i on i.event_id = x.event_id and x.kind = 'failed'
          cross join jsonb_array_elements(i.identities) as identity;
        perform from claims c
          where c.name = any(v_failed)
            or c.name in (select x.name from json_to_recordset(p_identities) as x(name text))
          order by c.name for update;
      end if;

      v_now := clock_timestamp();

      if json_array_length(p_identities) > 0 then
        insert into claims as c (name, event_id, digest, window_s, claimed_at)
          select distinct on (x.name) x.name, x.event_id, x.digest, x.window_s, v_now
          from json_to_recordset(p_identities)
            as x(item integer, event_id uuid, name text, digest text, window_s integer)
          where x.item <> all (v_fenced)
          order by x.name, x.item
          on conflict (name) do update
            set event_id = excluded.event_id, digest = excluded.digest,
                window_s = excluded.window_s, claimed_at = excluded.claimed_at
            where c.claimed_at < excluded.claimed_at - make_interval(secs => least(excluded.window_s, c.window_s));
        get diagnostics v_claimed = row_count;
      end if;

      -- Where every name was claimed, nobody has a twin.
      if v_claimed < json_array_length(p_identities) then
        select coalesce(array_agg(twin.item), '{}'), coalesce(array_agg(twin.holder), '{}') into v_lost, v_holders
          from (select distinct on (x.item) x.item, c.event_id as holder
                from json_to_recordset(p_identities) as x(item integer, place integer, event_id uuid, name text)
                join claims c on c.name = x.name and c.event_id <> x.event_id
                where x.item <> all (v_fenced)
                order by x.item, x.place) as twin;
        if v_lost <> '{}' then
          delete from claims c
            using json_to_recordset(p_identities) as x(item integer, event_id uuid, name text)
            where c.name = x.name and c.event_id = x.event_id and x.item = any (v_lost);
        end if;
      end if;

      v_out := v_fenced || v_lost;

      if json_array_length(p_fence) > 0 then
        with x as materialized (
          select * from json_to_recordset(p_intents)
            as x(item integer, event_id uuid, organisation text, key_id text, provider text, operation text,
                 gateway_id text, identities jsonb, generation bigint, sealed_request bytea)
            where x.item <> all (v_out)),
        opened as (
          insert into open_calls (event_id, organisation, gateway_id, committed_at)
            select x.event_id, x.organisation, x.gateway_id, v_now from x),
        reserved as (
          insert into ledger (event_id, entry, line, organisation, counter, amount, ends_at, committed_at)
            select h.event_id, 'reserve', h.line, h.organisation, h.counter, h.amount, h.ends_at, v_now
            from json_to_recordset(p_held)
              as h(item integer, event_id uuid, line smallint, organisation text, counter text, amount bigint,
                   ends_at timestamptz)
            where h.item <> all (v_out))
        insert into intents
          (event_id, organisation, voided, key_id, provider, operation, gateway_id, identities, generation,
           sealed_request, committed_at)
          select x.event_id, x.organisation, false, x.key_id, x.provider, x.operation, x.gateway_id, x.identities,
                 x.generation, x.sealed_request, v_now
          from x order by x.event_id;
      end if;

      if p_outcomes::text <> '[]' then
        with x as materialized (
          select x.*, i.organisation
          from json_to_recordset(p_outcomes) as x(item integer, event_id uuid, kind text, sealed_answer bytea)
          left join intents i on i.event_id = x.event_id and not i.voided),
        written as (
          insert into outcomes (event_id, kind, sealed_answer, committed_at)
            select x.event_id, x.kind, x.sealed_answer, v_now
            from x
            where x.kind <> 'unknown'
              or not exists (select from outcomes o where o.event_id = x.event_id and o.kind <> 'unknown')
            order by x.event_id
            on conflict (event_id) where kind <> 'unknown' do nothing
            returning event_id, kind),
        settled as (
          insert into ledger (event_id, entry, line, organisation, counter, amount, ends_at, committed_at)
            select s.event_id, 'settle', s.line, x.organisation, s.counter, s.amount, s.ends_at, v_now
            from json_to_recordset(p_spent)
              as s(event_id uuid, line smallint, counter text, amount bigint, ends_at timestamptz)
            join written on written.event_id = s.event_id
            join x on x.event_id = s.event_id),
        ended as (
          delete from open_calls o using written
            where o.event_id = written.event_id and written.kind <> 'unknown')
        select array(select x.item from x where x.event_id not in (select written.event_id from written)),
               exists (select from x where x.organisation is null)
          into v_stands, v_orphaned;
        if v_orphaned then
          raise exception 'an outcome was given for a call that has no intent' using errcode = 'foreign_key_violation';
        end if;
        v_out := v_out || v_stands;
        if v_failed <> '{}' then
          delete from claims c
            using json_to_recordset(p_outcomes) as x(item integer, event_id uuid, kind text)
            where c.name = any (v_failed) and c.event_id = x.event_id
              and x.kind = 'failed' and x.item <> all (v_out);
        end if;
      end if;

      insert into audit_events
        (id, event_id, kind, ts, organisation, project, agent, role, run, turn, correlation_id, call_id, occurrence,
         key_id, provider, operation, action, resource, decision, reason, reasons, http_status, grant_id, approved_by,
         expires, params, customer, spend, cost, currency, policy_revision, outcome, upstream_request_id, latency_ms,
         tags, leaf_hash)
        select x.id, x.event_id, x.kind, x.ts, x.organisation, x.project, x.agent, x.role, x.run, x.turn,
               x.correlation_id, x.call_id, x.occurrence, x.key_id, x.provider, x.operation, x.action, x.resource,
               x.decision, x.reason, x.reasons, x.http_status, x.grant_id, x.approved_by, x.expires, x.params,
               x.customer, x.spend, x.cost, x.currency, x.policy_revision, x.outcome, x.upstream_request_id,
               x.latency_ms, x.tags, x.leaf_hash
        from json_to_recordset(p_events)
          as x(item integer, id uuid, event_id uuid, kind text, ts timestamptz, organisation text, project text,
               agent text, role text, run text, turn integer, correlation_id text, call_id text, occurrence integer,
               key_id text, provider text, operation text, action text, resource text, decision text, reason text,
               reasons jsonb, http_status integer, grant_id text, approved_by text, expires text, params jsonb,
               customer text, spend jsonb, cost bigint, currency text, policy_revision text, outcome text,
               upstream_request_id text, latency_ms double precision, tags jsonb, leaf_hash bytea)
        where x.item <> all (v_out) order by x.id;

      if v_out <> '{}' then
        return query
          select fenced, 'fenced', null::uuid from unnest(v_fenced) as fenced
          union all select lost.item, 'twin', lost.holder from unnest(v_lost, v_holders) as lost(item, holder)
          union all select stands, 'stands', null::uuid from unnest(v_stands) as stands;
      end if;
    end $$`.execute(db)
}
