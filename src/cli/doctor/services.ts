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

async function ofDatabase(config: Config) {
  if (!isMade(config)) return [ok('embedded; made in the data directory at the first start')]
  try {
    const opened = await openDatabase(config)
    try {
      const { rows } = await sql<{ version: string; now: Date }>`
        select current_setting('server_version') as version, clock_timestamp() as now`.execute(opened.db)
      const skew_ms = rows[0]!.now.getTime() - Date.now()
      const pending = await pendingMigrations(opened.db)
      return [
        pending.length === 0
          ? ok(`${opened.engine} ${rows[0]!.version}, up to date`)
          : warn(
              `${opened.engine} ${rows[0]!.version} lacks ${pending.join(', ')}.`,
              'Run `countersign migrate`, or let `countersign serve` apply them.',
            ),
        ...(Math.abs(skew_ms) > SKEW_MS_MAX
          ? [warn(`Its clock differs from ours by ${skew_ms} ms.`, 'Let both machines follow NTP.')]
          : []),
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
    const version = /redis_version:(\S+)/.exec(await connection.info('server'))?.[1] ?? '0'
    return isAtLeast(version, REDIS_MIN)
      ? ok(`Redis ${version}`)
      : fail(`Redis ${version} is too old: the scripts need functions of Redis 7.`, 'Run Redis 7 or later, or Valkey.')
  } catch (error) {
    return fail(`It cannot be reached: ${reasonOf(error)}.`, 'Start Redis 7 or later, and check REDIS_URL.')
  } finally {
    connection.disconnect()
  }
}
