/** init, policy, migrate and doctor: what they say of a folder, with no gateway there. */

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { starterFiles } from '../../src/cli/init-files.ts'
import { readConfig } from '../../src/config.ts'
import { parseProjectPolicy } from '../../src/policy/index.ts'
import { freshDatabase } from '../services/database.ts'
import { startPostgres } from '../services/postgres.ts'
import { startRedis } from '../services/redis.ts'
import { type Environment, type Folder, folder, run } from './run.ts'

const PORTS = { COUNTERSIGN_PORT: '0', COUNTERSIGN_ADMIN_PORT: '0' }
const made: Folder[] = []
afterAll(() => {
  for (const each of made) each.remove()
})
function holding(files: Readonly<Record<string, string>>): string {
  const { path, remove } = folder()
  made.push({ path, remove })
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), content)
  }
  return path
}

describe('init', () => {
  it('writes what the gateway reads, and leaves a second time alone', async () => {
    const cwd = holding({})
    const first = await run(['init'], { cwd })
    expect(first).toMatchObject({ code: 0, err: '' })
    expect(first.out).toContain('wrote rego/tool_decision.rego\nwrote policies/README.md\nwrote countersign.yaml\n')
    expect(first.out).toContain('countersign serve')
    expect(readConfig({}, cwd)).toMatchObject({ policy_is_own: true, budgets: [] })
    expect(await run(['policy', 'build'], { cwd })).toMatchObject({ code: 0, err: '' })

    writeFileSync(join(cwd, 'countersign.yaml'), 'log_level: warn\n')
    const second = await run(['init'], { cwd })
    expect(second.code).toBe(1)
    expect(second.err).toContain('countersign.yaml already, and nothing was written')
    expect(readFileSync(join(cwd, 'countersign.yaml'), 'utf8')).toBe('log_level: warn\n')
    expect(await run(['init', '--force'], { cwd })).toMatchObject({ code: 0 })
    expect(readFileSync(join(cwd, 'countersign.yaml'), 'utf8')).toContain('# budgets:')
  })

  it('its examples hold once they are uncommented', () => {
    const content = (path: string) => starterFiles().find((file) => file.path === path)!.content
    const uncommented = content('countersign.yaml').replace(/^# (?=( |[a-z]+:$| {2}))/gm, '')
    const config = readConfig({}, holding({ 'countersign.yaml': uncommented }))
    expect(config.budgets).toHaveLength(5)
    expect(config.rates).toEqual({ 'eur/usd': 1.08 })
    expect(config.repeat).toMatchObject({ mode: 'replay', window_s: 86_400 })
    const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(content('policies/README.md')) ?? []
    expect(parseProjectPolicy(example, 'project-billing.yaml')).toMatchObject({ ok: true })
  })
})

const GOOD = 'package tool_decision\n\nallow {\n  input.agent.role == "clerk"\n}\n'

describe('policy build', () => {
  it('prints the revision, and writes the compiled policy', async () => {
    const cwd = holding({ 'own/tool_decision.rego': GOOD })
    const { code, out, err } = await run(['policy', 'build', '--dir', 'own', '--out', 'policy.wasm'], { cwd })
    expect(code).toBe(0)
    expect(out).toMatch(/^sha256:[0-9a-f]{64}\n$/)
    expect(err).toContain('policy.wasm')
    expect(readFileSync(join(cwd, 'policy.wasm')).subarray(0, 4).toString('latin1')).toBe('\0asm')
  })

  it('says file, line, what and the fix of a policy that cannot be taken, and writes nothing', async () => {
    const cwd = holding({ 'rego/tool_decision.rego': 'package tool_decision\n\nallow {\n  nobody.knows\n}\n' })
    const { code, out, err } = await run(['policy', 'build', '--out', 'policy.wasm'], { cwd })
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(/rego\/tool_decision\.rego:4(:\d+)?: /)
    expect(err).toContain('  fix: ')
    expect(existsSync(join(cwd, 'policy.wasm'))).toBe(false)
  })

  it('a project policy with an unknown field is refused with its line', async () => {
    const cwd = holding({ 'rego/tool_decision.rego': GOOD, 'policies/a.yaml': 'project: a\nagents: [x]\nowner: me\n' })
    const { code, err } = await run(['policy', 'build'], { cwd })
    expect(code).toBe(1)
    expect(err).toMatch(/policies\/a\.yaml:3/)
  })

  it('a folder that is not there is refused', async () => {
    const { code, err } = await run(['policy', 'build', '--dir', 'none'], { cwd: holding({}) })
    expect(code).toBe(1)
    expect(err).toContain('there is no folder')
  })
})

describe('migrate', () => {
  it('lists with --dry-run, applies once, and then finds nothing to do', async () => {
    const database = await freshDatabase(inject('postgresUrl'))
    const place = { cwd: holding({}), env: { DATABASE_URL: database.url } }
    const listed = await run(['migrate', '--dry-run'], place)
    expect(listed.out).toContain('would apply 0001-journal\n')
    const applied = await run(['migrate'], place)
    expect(applied.out).toBe(listed.out.replaceAll('would apply', 'applied'))
    const again = await run(['migrate', '--dry-run'], place)
    expect(again).toMatchObject({ code: 0, out: '' })
    expect(again.err).toContain('is up to date')
    await database.drop()
  })

  it('--dry-run makes no embedded database', async () => {
    const cwd = holding({})
    expect(await run(['migrate', '--dry-run'], { cwd })).toMatchObject({ code: 0, out: '' })
    expect(readdirSync(cwd)).toEqual([])
  })

  it('a database that is not there is told without its password', async () => {
    const env = { DATABASE_URL: 'postgres://someone:hunter2@127.0.0.1:1/none' }
    const { code, err } = await run(['migrate'], { cwd: holding({}), env })
    expect(code).toBe(1)
    expect(err).toContain('the database of DATABASE_URL: ')
    expect(err).not.toContain('hunter2')
  })
})

describe('doctor', () => {
  let taken: { port: string; close(): void }
  beforeAll(async () => {
    const server = createServer((_, response) => response.end('hello'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    taken = { port: String((server.address() as { port: number }).port), close: () => server.close() }
  })
  afterAll(() => taken.close())

  const doctor = (cwd: string, env: Environment = {}) => run(['doctor'], { cwd, env: { ...PORTS, ...env } })

  it('finds nothing wrong with an empty folder, and changes nothing in it', async () => {
    const cwd = holding({})
    const { code, out, err } = await doctor(cwd, { COUNTERSIGN_SANDBOX: '1' })
    expect(code).toBe(0)
    expect(out).not.toContain('FAIL')
    expect(out).toMatch(/^warn +policy +There is no \.\/rego/m)
    expect(out).toMatch(/^ok +catalogue +stripe \S+: \d{3} operations$/m)
    expect(err).toContain('nothing stands in the way')
    expect(readdirSync(cwd)).toEqual([])
  })

  it('finds real services well, and says what a shared database needs', async () => {
    const database = await freshDatabase(inject('postgresUrl'))
    const env = { DATABASE_URL: database.url, REDIS_URL: inject('redisUrl'), STRIPE_API_KEY: 'sk_test_planted' }
    const { code, out } = await doctor(holding({ 'rego/tool_decision.rego': GOOD }), env)
    expect(out).toMatch(/^ok +redis +Redis [7-9]\.\S+, noeviction$/m)
    expect(out).toMatch(/^warn +database +postgresql \S.* lacks 0001-journal, /m)
    expect(out).toMatch(/^warn +master key +COUNTERSIGN_MASTER_KEY is not set/m)
    expect(out).toMatch(/^ok +credentials +stripe: STRIPE_API_KEY is set$/m)
    expect(out).not.toContain('sk_test_planted')
    expect(out).not.toMatch(/fsync|synchronous_commit/)
    expect(code).toBe(0)
    await run(['migrate'], { cwd: holding({}), env })
    expect((await doctor(holding({}), env)).out).toMatch(/^ok +database +postgresql \S.*, up to date$/m)
    await database.drop()
  })

  it('fails for each part that cannot work, with a fix, and goes on', async () => {
    const cwd = holding({ 'rego/tool_decision.rego': 'package tool_decision\n\nallow {\n', file: '' })
    const { code, out, err } = await doctor(cwd, {
      COUNTERSIGN_PORT: taken.port,
      COUNTERSIGN_DATA_DIR: 'file/below',
      COUNTERSIGN_MASTER_KEY: 'short',
      DATABASE_URL: 'postgres://someone:hunter2@127.0.0.1:1/none',
      REDIS_URL: 'redis://127.0.0.1:1',
    })
    expect(code).toBe(1)
    for (const what of ['data directory', 'master key', 'policy', 'agent plane', 'database', 'redis'])
      expect(out).toMatch(new RegExp(`^FAIL +${what} .*\\n +fix: \\S`, 'm'))
    expect(out).toMatch(/^FAIL +policy +\S*rego\/tool_decision\.rego:\d/m)
    expect(out).toContain(`Something that is not a gateway listens on 127.0.0.1:${taken.port}`)
    expect(out).toMatch(/^ok +admin plane/m)
    expect(out).not.toContain('hunter2')
    expect(err).toMatch(/^6 of \d+ checks failed$/m)
  })

  it('says of a Redis that may drop counters, and of a PostgreSQL that may forget commits, how to mend it', async () => {
    const redis = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] })
    const postgres = await startPostgres({ settings: ['fsync=off', 'synchronous_commit=off'] })
    try {
      const { code, out } = await doctor(holding({}), { DATABASE_URL: postgres.url, REDIS_URL: redis.url })
      expect(code).toBe(1)
      expect(out).toMatch(/^FAIL +redis +Redis \S+ has the maxmemory-policy allkeys-lru: .*\n +fix: .*noeviction/m)
      for (const setting of ['fsync', 'synchronous_commit'])
        expect(out).toMatch(new RegExp(`^warn +database +Its ${setting} is off: .*\\n +fix: .*${setting} = on`, 'm'))
    } finally {
      await Promise.all([redis.remove(), postgres.remove()])
    }
  })

  it('a configuration that cannot be read is all that it can tell', async () => {
    const cwd = holding({ 'countersign.yaml': 'budgets:\n  - scope: nobody\n' })
    const { code, out } = await doctor(cwd, { COUNTERSIGN_PORT: 'high' })
    expect(code).toBe(1)
    expect(out).toMatch(/^FAIL +configuration +COUNTERSIGN_PORT: "high" is not a port/m)
    expect(out).toMatch(/^FAIL +configuration +\S*countersign\.yaml:2: /m)
    expect(out).not.toMatch(/^ok/m)
  })
})

describe('every command', () => {
  it.each([
    'serve',
    'init',
    'doctor',
    'migrate',
    'keys create',
    'keys revoke',
    'policy build',
    'audit tail',
    'audit export',
    'call',
  ])('%s has a help', async (command) => {
    const { code, out } = await run([...command.split(' '), '--help'], { cwd: holding({}) })
    expect(code).toBe(0)
    expect(out).toContain(`Usage: countersign ${command}`)
    if (command !== 'serve') expect(out).toMatch(/^Examples?:\n {2}\$ /m)
  })
})
