/** What is on this machine: Node, the clock, the data directory, the master key, credentials. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Config } from '../../config.ts'
import { masterKey } from '../../identity/index.ts'
import { type Check, fail, ok, reasonOf, warn } from './check.ts'

const NODE_MIN = [20, 18, 1] as const
/** No honest clock is before this code was written. */
const CLOCK_MIN = Date.parse('2026-01-01T00:00:00Z')

export const checkLocal: readonly Check[] = [
  {
    what: 'node',
    run: async () => [
      isAtLeast(process.versions.node, NODE_MIN)
        ? ok(`Node ${process.versions.node}`)
        : fail(`Node ${process.versions.node} is too old.`, `Install Node ${NODE_MIN.join('.')} or later.`),
    ],
  },
  {
    what: 'clock',
    run: async () => [
      Date.now() > CLOCK_MIN
        ? ok(`${new Date().toISOString()} (where a database is set, compared with it below)`)
        : fail(
            `The clock says ${new Date().toISOString()}.`,
            'Set it: expiries, windows and the order of events hang on it.',
          ),
    ],
  },
  {
    what: 'data directory',
    run: async ({ data_dir }) => {
      const there = nearest(data_dir)
      try {
        if (!statSync(there).isDirectory()) throw new Error(`${there} is not a folder`)
        accessSync(there, constants.W_OK | constants.X_OK)
        return [ok(there === data_dir ? `${data_dir} can be written` : `${data_dir} will be made at the first start`)]
      } catch (error) {
        return [
          fail(`${data_dir}: ${reasonOf(error)}.`, 'Let this user write there, or name another COUNTERSIGN_DATA_DIR.'),
        ]
      }
    },
  },
  { what: 'master key', run: async (config) => [ofMasterKey(config)] },
  {
    what: 'credentials',
    run: async ({ providers, sandbox }) =>
      Object.entries(providers).map(([name, { credential }]) => {
        const variable = `${name.toUpperCase()}_API_KEY`
        if (credential) return ok(`${name}: ${variable} is set`)
        if (sandbox) return ok(`${name}: the bundled sandbox needs none`)
        return warn(
          `${name}: ${variable} is not set; whether one is stored, only a running gateway can tell.`,
          `Set ${variable} for the gateway, store one with PUT /admin/credentials/${name}, or try COUNTERSIGN_SANDBOX=1.`,
        )
      }),
  },
]

function ofMasterKey({ master_key, database_url }: Config) {
  if (master_key) {
    try {
      masterKey(master_key)
      return ok('COUNTERSIGN_MASTER_KEY is set')
    } catch (error) {
      return fail(`${reasonOf(error)}.`, 'Set it to the key that this database has been used with, if it has been.')
    }
  }
  return database_url
    ? warn(
        'COUNTERSIGN_MASTER_KEY is not set: this gateway keeps one of its own in its data directory.',
        'Set the same one for all gateways that share the database, or keys made at one are unknown at the others.',
      )
    : ok('kept in the data directory; lose it, and every stored credential and vault key is lost')
}

function nearest(path: string): string {
  let at = path
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at)
  return at
}

export function isAtLeast(version: string, min: readonly number[]): boolean {
  const parts = version.split('.').map(Number)
  for (const [at, least] of min.entries()) if ((parts[at] ?? 0) !== least) return (parts[at] ?? 0) > least
  return true
}
