import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** What the compiler complains of; empty where it does not. */
const complaints = (project: string): Promise<string> =>
  new Promise((resolve) => {
    const tsc = path('../../node_modules/typescript/bin/tsc')
    execFile(process.execPath, [tsc, '-p', project], (error, stdout, stderr) =>
      resolve(error === null ? '' : stdout + stderr),
    )
  })

test('names and params are checked against the catalogue, and nothing else is in the way', async () => {
  expect(await complaints(path('types'))).toBe('')
}, 60_000)

test('every example of the README compiles', async () => {
  const readme = await readFile(path('../../sdk/typescript/README.md'), 'utf8')
  const examples = [...readme.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code!)
  expect(examples.length).toBeGreaterThan(0)

  const folder = await mkdtemp(join(tmpdir(), 'sdk-readme-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await Promise.all(examples.map((code, at) => writeFile(join(folder, `example-${at}.ts`), code)))
  const compilerOptions = {
    noEmit: true,
    module: 'preserve',
    moduleResolution: 'bundler',
    rootDir: '/',
    lib: ['es2023', 'dom'],
    moduleDetection: 'force',
    rewriteRelativeImportExtensions: false,
    paths: { '@countersign/sdk': [path('../../sdk/typescript/src/index.ts')] },
  }
  const config = {
    extends: path('../../tsconfig.json'),
    compilerOptions: { ...compilerOptions, types: [] },
    include: ['.'],
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  expect(await complaints(folder)).toBe('')
}, 60_000)
