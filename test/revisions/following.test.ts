/** A gateway that follows takes what another one compiled: this one cannot compile at all. */
import { randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, inject, it } from 'vitest'
import { type Served, serve } from '../cli/run.ts'
import { type FreshDatabase, freshDatabase } from '../services/database.ts'
import { rule } from './site.ts'

const PACKAGE = fileURLToPath(new URL('../../', import.meta.url))
const TOKEN = 'csadm_of_the_following_tests'

const root = mkdtempSync(join(tmpdir(), 'countersign-following-'))
const running: Served[] = []
let database: FreshDatabase
afterEach(async () => {
  for (const gateway of running) await gateway.stop()
  await database.drop()
  rmSync(root, { recursive: true, force: true })
})

/** The package again, so that something can be taken out of it. */
function copyOfThePackage(): string {
  const copy = join(root, 'package')
  for (const part of ['dist', 'rego', 'schemas', 'package.json'])
    cpSync(join(PACKAGE, part), join(copy, part), { recursive: true })
  symlinkSync(join(PACKAGE, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

// It copies the package and starts two of it.
it('a gateway whose compiler is gone decides by the Rego that was pushed to another', { timeout: 90_000 }, async () => {
  database = await freshDatabase(inject('postgresUrl'), inject('postgresTemplate'))
  const env = {
    DATABASE_URL: database.url,
    COUNTERSIGN_ADMIN_TOKEN: TOKEN,
    COUNTERSIGN_MASTER_KEY: randomBytes(32).toString('base64'),
  }
  const start = async (name: string, main?: string): Promise<Served> => {
    const file = join(root, name, 'rego/tool_decision.rego')
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, rule(500))
    const gateway = await serve({ cwd: join(root, name), env }, main)
    running.push(gateway)
    return gateway
  }
  const copy = copyOfThePackage()
  const one = await start('one')
  const other = await start('other', join(copy, 'dist/cli/main.js'))
  rmSync(join(copy, 'dist/policy/toolchain/opa.wasm.br'))

  const post = async (url: string, token: string, body: object) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: response.status, body: (await response.json()) as Record<string, string> }
  }
  const push = (to: Served, max: number) =>
    post(`${to.env.COUNTERSIGN_ADMIN_URL}/admin/policies`, TOKEN, { files: { 'tool_decision.rego': rule(max) } })
  const made = await post(`${one.env.COUNTERSIGN_ADMIN_URL}/admin/vault-keys`, TOKEN, { agent: { id: 'till-1' } })
  const charge = async () => {
    const address = `${other.env.COUNTERSIGN_URL}/v1/providers/stripe/operations/create_charge?dry_run`
    const params = { amount: 400, currency: 'usd', customer: 'cus_1' }
    const { body } = await post(address, made.body.vault_key!, { params })
    return body.decision ?? body.code
  }

  expect(await charge()).toBe('allow')
  expect(await push(one, 100)).toMatchObject({ status: 200, body: { changed: true } })
  await expect.poll(charge, { timeout: 15_000, interval: 50 }).toBe('policy_denied')
  expect(await push(other, 200)).toMatchObject({ status: 500 })
})
