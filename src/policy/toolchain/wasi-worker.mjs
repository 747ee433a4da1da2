// Runs the OPA module once, in a thread of its own: a policy that takes long to compile must not stall live calls. Plain
// JavaScript, because a worker is loaded as it lies on the disk, from the sources as from the built package.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WASI } from 'node:wasi'
import { parentPort, workerData } from 'node:worker_threads'

/** @type {{ module: WebAssembly.Module, request: string }} */
const { module, request } = workerData
const folder = mkdtempSync(join(tmpdir(), 'countersign-opa-'))
const files = { request: join(folder, 'request.json'), answer: join(folder, 'answer.json'), log: join(folder, 'log') }
const open = []
try {
  writeFileSync(files.request, request, { mode: 0o600 })
  open.push(openSync(files.request, 'r'), openSync(files.answer, 'w', 0o600), openSync(files.log, 'w', 0o600))
  const [stdin, stdout, stderr] = open
  // No file system, no environment, no arguments: the module sees the request and nothing else.
  const wasi = new WASI({ version: 'preview1', args: ['opa'], env: {}, stdin, stdout, stderr, returnOnExit: true })
  const code = wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()))
  const answer = readFileSync(files.answer, 'utf8')
  parentPort.postMessage(code === 0 ? { answer } : { fault: readFileSync(files.log, 'utf8').slice(0, 2000) })
} finally {
  for (const descriptor of open) closeSync(descriptor)
  rmSync(folder, { recursive: true, force: true })
}
