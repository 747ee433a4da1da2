/** A database of a test file's own, so that files run beside each other. */
import { randomBytes } from 'node:crypto'
import pg from 'pg'

export interface FreshDatabase {
  readonly url: string
  drop(): Promise<void>
}

/**
 * Creates an empty database on the server at `url`, or a copy of `template` (nobody may be connected to that one).
 */
export async function freshDatabase(url: string, template?: string): Promise<FreshDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await administer(url, `create database ${name}${template === undefined ? '' : ` template ${template}`}`)
  const own = new URL(url)
  own.pathname = `/${name}`
  return { url: own.href, drop: () => administer(url, `drop database if exists ${name} with (force)`) }
}

/** Runs one statement as the server's superuser. */
export async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
