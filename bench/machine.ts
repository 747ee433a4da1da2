/** What the figures were measured on, in one line. */
import { execFileSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { postgresFolder, redisProgram } from '../test/services/programs.ts'

const GIB = 1024 ** 3

const version = (program: string, ...args: string[]): string => {
  try {
    const said = execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    return /(\d+\.\d+(\.\d+)?)/.exec(said)?.[1] ?? 'of unknown version'
  } catch {
    return 'of unknown version'
  }
}

export function machine(): string {
  const cores = cpus()
  return [
    `${cores.length} cores (${cores[0]?.model.trim() ?? 'unknown'})`,
    `${Math.round(totalmem() / GIB)} GiB of memory`,
    `${process.platform} ${process.arch}`,
    `Node ${process.versions.node}`,
    `PostgreSQL ${version(join(postgresFolder(), 'postgres'), '--version')}`,
    `Redis ${version(redisProgram(), '--version')}`,
    `OPA ${version(fileURLToPath(new URL('../.cache/bin/opa', import.meta.url)), 'version')}`,
    `nginx ${version('sh', '-c', 'nginx -v 2>&1')}`,
  ].join(', ')
}
