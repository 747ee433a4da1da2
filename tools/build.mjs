/**
 * Builds `dist/`: bundles, copies what is not TypeScript, and prepares the embedded database so that a first start need not
 * make one. Run by `make build`; types are checked by `make check`.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { tsImport } from 'tsx/esm/api'

const root = fileURLToPath(new URL('..', import.meta.url))
const [src, dist] = [join(root, 'src'), join(root, 'dist')]
const NOT_CODE = /\.(lua|br|mjs|sha256)$/

/**
 * A module finds the files beside it by its own address, and keeps that address in whichever file it is bundled into: all of
 * those lie in folders of `dist/`, so `..` leads to where the path of the source begins.
 */
const ownAddresses = {
  name: 'own-addresses',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const address = `new URL('../${relative(src, path).replace(/ts$/, 'js')}', import.meta.url).href`
      return { contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', address), loader: 'ts' }
    }),
}

rmSync(dist, { recursive: true, force: true })
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'sdk/typescript/tsconfig.json'], {
  cwd: root,
  stdio: 'inherit',
})
// Bundled with its packages, because a start spends its time on loading: a few files take a third of what hundreds do.
await build({
  absWorkingDir: root,
  entryPoints: ['src/cli/main.ts', 'src/sandbox/main.ts'],
  outdir: dist,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // It finds its own files by its own address.
  external: ['@electric-sql/pglite'],
  // Packages that are CommonJS require what Node brings.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url)",
  },
  plugins: [ownAddresses],
})
for (const file of readdirSync(src, { recursive: true }))
  if (NOT_CODE.test(file)) cpSync(join(src, file), join(dist, file))
chmodSync(join(dist, 'cli/main.js'), 0o755)

const { prepareDataDir } = await tsImport('../src/store/postgres/index.ts', import.meta.url)
await prepareDataDir(join(dist, 'pglite-prepared.tar.gz'))
