/** Where this machine has the programs that the tests run against. */
import { execFileSync } from 'node:child_process'
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

const runs = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const onPath = (program: string): string | undefined =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find(runs)

/** Debian keeps each major version in a folder of its own, off the path; the newest that is there. */
function debianFolder(): string | undefined {
  try {
    const versions = readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a))
    return versions
      .map((version) => `/usr/lib/postgresql/${version}/bin`)
      .find((folder) => runs(join(folder, 'initdb')))
  } catch {
    return undefined
  }
}

function configuredFolder(): string | undefined {
  const pgConfig = onPath('pg_config')
  if (pgConfig === undefined) return undefined
  const folder = execFileSync(pgConfig, ['--bindir'], { encoding: 'utf8' }).trim()
  return runs(join(folder, 'initdb')) ? folder : undefined
}

/** The folder that has initdb and postgres. Throws where there is none: tests never pass over a missing part. */
export function postgresFolder(): string {
  const initdb = onPath('initdb')
  const folder = initdb === undefined ? (debianFolder() ?? configuredFolder()) : dirname(realpathSync(initdb))
  if (folder === undefined) throw new Error(missing('PostgreSQL (initdb, postgres)', 'postgresql'))
  return folder
}

export function redisProgram(): string {
  const program = onPath('redis-server') ?? onPath('valkey-server')
  if (program === undefined) throw new Error(missing('Redis (redis-server)', 'redis-server'))
  return program
}

const missing = (what: string, debianPackage: string): string =>
  `the tests need ${what} and this machine has none. Run test/services/install.sh, or install it by hand ` +
  `(Debian: apt-get install ${debianPackage}).`
