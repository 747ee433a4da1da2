// Runs the OPA module once, in a process of its own: a policy that takes long to compile must not stall live calls, and the
// some 200 MB that it takes go back when it is done. Plain JavaScript: it is run as it lies on the disk, from the sources as
// from the package.
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WASI } from 'node:wasi'
import { brotliDecompressSync } from 'node:zlib'

// WASM calls Node's native functions by a way on which a garbage collection does not see the stack: Node 20 then frees what
// is in use, the WASI object itself or the code of its caller, and crashes. So each is called through JavaScript, and the
// object is held.
const held = []

const scanned = (imports) =>
  Object.fromEntries(Object.entries(imports).map(([name, native]) => [name, (...args) => native(...args)]))

/** @param {string} request */
process.once('message', (request) => {
  const module = new WebAssembly.Module(brotliDecompressSync(readFileSync(new URL('opa.wasm.br', import.meta.url))))
  // Files rather than pipes: a pipe of Node's may be non-blocking, and the module does not wait.
  const folder = mkdtempSync(join(tmpdir(), 'countersign-opa-'))
  try {
    const [asked, answered, complained] = ['asked', 'answered', 'complained'].map((name) => join(folder, name))
    writeFileSync(asked, request, { mode: 0o600 })
    // No file system, no environment, no arguments: the module sees the request and nothing else.
    const wasi = new WASI({
      version: 'preview1',
      args: ['opa'],
      env: {},
      stdin: openSync(asked, 'r'),
      stdout: openSync(answered, 'w', 0o600),
      stderr: openSync(complained, 'w', 0o600),
      returnOnExit: true,
    })
    held.push(wasi)
    process.send('ready')
    const code = wasi.start(new WebAssembly.Instance(module, { wasi_snapshot_preview1: scanned(wasi.wasiImport) }))
    const message =
      code === 0 ? { answer: readFileSync(answered, 'utf8') } : { fault: readFileSync(complained, 'utf8') }
    process.send(message, () => process.disconnect())
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
