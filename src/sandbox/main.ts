/**
 * The sandbox as a process of its own: `node dist/sandbox/main.js --port N [--host H] [--secret-key K]`. A parent that
 * holds a pipe to its stdin takes it along when it ends, however it ends; without a pipe it lives until a signal.
 */
import { fstatSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { startSandbox } from './index.ts'

const USAGE = 'usage: sandbox/main.js [--port N] [--host ADDRESS] [--secret-key sk_test_…]'

const { port, host, secretKey } = readArguments()
const sandbox = await startSandbox({ port, host, ...(secretKey !== undefined && { secretKey }) }).catch(
  (fault: Error) =>
    stop(`cannot listen on ${host}:${port}: ${fault.message}; give another --port, or 0 for any free one`),
)
process.stdout.write(`sandbox ready on ${sandbox.url}\n`)

const end = () => void sandbox.close().then(() => process.exit(0))
process.once('SIGTERM', end)
process.once('SIGINT', end)
if (isPipe(0)) {
  process.stdin.once('end', end).once('close', end).once('error', end).resume()
  // The pipe may have been inherited by another process that lives on, so the parent itself is watched as well.
  const parent = process.ppid
  setInterval(() => process.ppid !== parent && end(), 1_000).unref()
}

function readArguments(): { port: number; host: string; secretKey: string | undefined } {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string', default: '0' },
        host: { type: 'string', default: '127.0.0.1' },
        'secret-key': { type: 'string' },
      },
    })
    const port = Number(values.port)
    if (Number.isInteger(port) && port >= 0 && port <= 65_535) {
      return { port, host: values.host, secretKey: values['secret-key'] }
    }
    return stop(`--port ${values.port} is not a port; give a number from 0 (any free one) to 65535`)
  } catch (fault) {
    return stop(`${(fault as Error).message}\n${USAGE}`)
  }
}

function stop(why: string): never {
  process.stderr.write(`sandbox: ${why}\n`)
  process.exit(2)
}

function isPipe(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor)
    return stat.isFIFO() || stat.isSocket()
  } catch {
    // Closed at the start: nobody holds it.
    return false
  }
}
