/** What the gateway works with and where it listens: database, Redis, ports. */
import { sql } from 'kysely'
import type { Config } from '../../config.ts'
import { pendingMigrations } from '../../store/postgres/index.ts'
import { link } from '../../store/redis/connect.ts'
import { isMade, openDatabase } from '../database.ts'
import { type Check, fail, ok, reasonOf, warn } from './check.ts'
import { isAtLeast } from './local.ts'

const REDIS_MIN = [7] as const
const SKEW_MS_MAX = 2_000
const ASK_MS = 3_000

export const checkServices: readonly Check[] = [
  { what: 'agent plane', run: async ({ host, port }) => [await ofPort(host, port, 'COUNTERSIGN_PORT')] },
  {
    what: 'admin plane',
    run: async ({ host, admin_port }) => [await ofPort(host, admin_port, 'COUNTERSIGN_ADMIN_PORT')],
  },
  { what: 'database', run: ofDatabase },
  {
    what: 'redis',
    run: async ({ redis_url }) => [redis_url ? await ofRedis(redis_url) : ok('none: counters are kept in process')],
  },
]

async function ofPort(host: string, port: number, variable: string) {
  if (port === 0) return ok('any free port')
  const at = `${host}:${port}`
  const other = `Stop what listens there, or set ${variable} to another port.`
  try {
    const readiness = await readinessOf(`http://${at}`)
    if (readiness === undefined) return fail(`Something that is not a gateway listens on ${at}.`, other)
    const told = JSON.stringify(readiness)
    return readiness.ready
      ? ok(`a gateway answers on ${at}: ${told}`)
      : fail(`The gateway on ${at} is not ready: ${told}.`, 'Mend the part that it names; its log says more.')
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } }
    if (cause?.code === 'ECONNREFUSED') return ok(`${at} is free`)
    return fail(`${at} cannot be used: ${reasonOf(cause ?? error)}.`, other)
  }
}

async function readinessOf(url: string): Promise<{ readonly ready: boolean } | undefined> {
  const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(ASK_MS) })
  const body: unknown = await response.json().catch(() => undefined)
  return typeof body === 'object' && body !== null && 'ready' in body ? (body as { ready: boolean }) : undefined
}

interface Server {
  readonly version: string
  readonly now: Date
  readonly fsync: string
  readonly synchronous_commit: string
}

/** A call leaves once its intent is committed: a commit that is not on disk may be forgotten, and the call with it. */
const unsynced = (server: Server) =>
  (['fsync', 'synchronous_commit'] as const)
    .filter((setting) => server[setting] === 'off')
    .map((setting) =>
      warn(
        `Its ${setting} is off: a crash loses calls that were made and recorded, and then they can be made twice.`,
        `Turn it on: ALTER SYSTEM SET ${setting} = on; SELECT pg_reload_conf(); and look for a setting of the role or database.`,
      ),
    )

async function ofDatabase(config: Config) {
  if (!isMade(config)) return [ok('embedded; made in the data directory at the first start')]
  try {
    const opened = await openDatabase(config)
    try {
      const { rows } = await sql<Server>`
        select current_setting('server_version') as version, clock_timestamp() as now, current_setting('fsync') as fsync,
          current_setting('synchronous_commit') as synchronous_commit`.execute(opened.db)
      const server = rows[0]!
      const skew_ms = server.now.getTime() - Date.now()
      const pending = await pendingMigrations(opened.db)
      return [
        pending.length === 0
          ? ok(`${opened.engine} ${server.version}, up to date`)
          : warn(
              `${opened.engine} ${server.version} lacks ${pending.join(', ')}.`,
              'Run `countersign migrate`, or let `countersign serve` apply them.',
            ),
        ...(Math.abs(skew_ms) > SKEW_MS_MAX
          ? [warn(`Its clock differs from ours by ${skew_ms} ms.`, 'Let both machines follow NTP.')]
          : []),
        // The embedded database never syncs, as docs/architecture.md says; there is no setting for it.
        ...(config.database_url ? unsynced(server) : []),
      ]
    } finally {
      await opened.close()
    }
  } catch (error) {
    if (!config.database_url && (await gatewayAnswers(config))) return [ok('embedded; the gateway that answers has it')]
    return [
      fail(
        `It cannot be used: ${reasonOf(error)}.`,
        config.database_url ? 'Start PostgreSQL 15 or later, and check DATABASE_URL.' : 'Stop the process that has it.',
      ),
    ]
  }
}

const gatewayAnswers = async ({ host, admin_port }: Config): Promise<boolean> =>
  (await readinessOf(`http://${host}:${admin_port}`).catch(() => undefined)) !== undefined

async function ofRedis(url: string) {
  const { connection, ready } = link(url)
  // Each command rejects by itself; without a listener the driver writes to the terminal.
  connection.on('error', () => {})
  try {
    await ready()
    const info = await connection.info()
    const told = (name: string): string => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? ''
    const version = told('redis_version')
    const evicts = told('maxmemory_policy')
    if (!isAtLeast(version, REDIS_MIN))
      return fail(
        `Redis ${version} is too old: the scripts need functions of Redis 7.`,
        'Run Redis 7 or later, or Valkey.',
      )
    // Persistence is not asked for: a Redis that restarted is rebuilt from the ledger, whatever it kept.
    return evicts === 'noeviction'
      ? ok(`Redis ${version}, ${evicts}`)
      : fail(
          `Redis ${version} has the maxmemory-policy ${evicts}: when memory is full it may drop counters, and spend with them.`,
          'CONFIG SET maxmemory-policy noeviction, and the same in redis.conf or where your provider keeps its settings.',
        )
  } catch (error) {
    return fail(`It cannot be reached: ${reasonOf(error)}.`, 'Start Redis 7 or later, and check REDIS_URL.')
  } finally {
    connection.disconnect()
  }
}
