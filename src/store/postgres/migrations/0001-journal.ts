/**
 * The journal's tables. What history needs (events, intents, outcomes, ledger) takes inserts only: the database itself
 * refuses UPDATE, DELETE and TRUNCATE. What the present needs (claims, open calls, generations, gateways) is small,
 * mutable, and derivable from history.
 */
import { type Kysely, sql } from 'kysely'

const INSERT_ONLY = ['audit_events', 'intents', 'outcomes', 'ledger']

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table audit_events (
      id uuid primary key,
      event_id uuid not null,
      kind text not null,
      ts timestamptz(3) not null,
      organisation text not null,
      project text,
      agent text,
      role text,
      run text,
      turn integer,
      correlation_id text,
      call_id text,
      occurrence integer,
      key_id text,
      provider text,
      operation text,
      action text,
      resource text,
      decision text,
      reason text,
      reasons jsonb,
      http_status integer,
      grant_id text,
      approved_by text,
      expires text,
      params jsonb,
      customer text,
      spend jsonb,
      cost bigint,
      currency text,
      policy_revision text,
      outcome text,
      upstream_request_id text,
      latency_ms double precision,
      tags jsonb,
      leaf_hash bytea not null check (octet_length(leaf_hash) = 32)
    )`.execute(db)
  await sql`create index audit_events_event on audit_events (event_id, id)`.execute(db)
  await sql`create index audit_events_run on audit_events (run, id) where run is not null`.execute(db)
  await sql`
    create index audit_events_correlation on audit_events (correlation_id, id) where correlation_id is not null
  `.execute(db)

  await sql`
    create table intents (
      event_id uuid primary key,
      organisation text not null,
      voided boolean not null,
      key_id text,
      provider text,
      operation text,
      gateway_id text,
      identities jsonb,
      generation bigint,
      sealed_request bytea,
      committed_at timestamptz not null,
      constraint intents_whole check (voided or (
        key_id is not null and provider is not null and operation is not null and gateway_id is not null
        and identities is not null and sealed_request is not null))
    )`.execute(db)

  await sql`
    create table outcomes (
      seq bigint generated always as identity primary key,
      event_id uuid not null,
      kind text not null check (kind in ('succeeded', 'failed', 'unknown')),
      sealed_answer bytea,
      committed_at timestamptz not null
    )`.execute(db)
  await sql`create unique index outcomes_final on outcomes (event_id) where kind <> 'unknown'`.execute(db)
  await sql`create index outcomes_unknown on outcomes (event_id) where kind = 'unknown'`.execute(db)

  await sql`
    create table ledger (
      event_id uuid not null,
      entry text not null check (entry in ('reserve', 'settle')),
      line smallint not null,
      organisation text not null,
      counter text not null,
      amount bigint not null,
      ends_at timestamptz,
      committed_at timestamptz not null,
      primary key (event_id, entry, line)
    )`.execute(db)
  await sql`create index ledger_settled on ledger (organisation, ends_at) where entry = 'settle'`.execute(db)

  await sql`
    create table open_calls (
      event_id uuid primary key,
      organisation text not null,
      gateway_id text not null,
      committed_at timestamptz not null
    )`.execute(db)
  await sql`
    create table claims (
      name text primary key,
      event_id uuid not null,
      digest text not null,
      window_s integer,
      claimed_at timestamptz not null
    )`.execute(db)
  await sql`create table generations (organisation text primary key, generation bigint not null)`.execute(db)
  await sql`create table gateways (id text primary key, seen_at timestamptz not null)`.execute(db)

  await sql`
    create function refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception '% on % is refused: its rows are history and take inserts only', tg_op, tg_table_name
        using errcode = 'insufficient_privilege';
    end $$`.execute(db)
  for (const table of INSERT_ONLY) {
    await sql`
      create trigger insert_only before update or delete or truncate on ${sql.table(table)}
      for each statement execute function refuse_change()`.execute(db)
  }
}
