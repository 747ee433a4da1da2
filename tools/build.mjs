/**
 * Builds `dist/`: compiles, copies what is not TypeScript, and prepares the embedded database so that a first start need
 * not make one. Run by `make build`.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const run = (...args) => execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
const NOT_CODE = /\.(lua|br|mjs|json)$/

rmSync(`${root}dist`, { recursive: true, force: true })
run('node_modules/typescript/bin/tsc', '-p', 'sdk/typescript/tsconfig.json')
run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json')
cpSync(`${root}src`, `${root}dist`, {
  recursive: true,
  filter: (source) => NOT_CODE.test(source) || !/\.[a-z]+$/.test(source),
})
chmodSync(`${root}dist/cli/main.js`, 0o755)

const { prepareDataDir } = await import(`${root}dist/store/postgres/index.js`)
await prepareDataDir(`${root}dist/pglite-prepared.tar.gz`)
