/** Vault keys, found by digest, and the upstream credentials, sealed. */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table vault_keys (
      id text primary key,
      digest bytea not null unique,
      organisation text not null,
      project text,
      agent text not null,
      role text,
      run text,
      facts jsonb not null,
      created_at timestamptz(3) not null,
      expires_at timestamptz(3),
      revoked_at timestamptz(3)
    )`.execute(db)
  await sql`create index vault_keys_organisation on vault_keys (organisation, created_at)`.execute(db)
  await sql`create index vault_keys_run on vault_keys (run) where run is not null`.execute(db)
  await sql`
    create table upstream_credentials (
      provider text not null,
      organisation text not null,
      key_version integer not null,
      wrapped bytea not null,
      created_at timestamptz(3) not null,
      primary key (provider, organisation)
    )`.execute(db)
}
