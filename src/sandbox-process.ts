/** The bundled sandbox as a process of its own, as a provider is. It ends when the gateway does. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface SandboxProcess {
  readonly url: string
  close(): Promise<void>
}

const READY = /^sandbox ready on (http:\/\/\S+)$/

export async function spawnSandbox(): Promise<SandboxProcess> {
  // The same ending as this file: `.ts` from source, `.js` when built.
  const entry = fileURLToPath(new URL(`./sandbox/main${import.meta.url.slice(-3)}`, import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, entry, '--port', '0'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  for await (const line of createInterface({ input: child.stdout })) {
    const [, url] = READY.exec(line) ?? []
    if (!url) continue
    child.stdout.resume()
    return {
      url,
      close: () => {
        child.stdin.end()
        child.kill('SIGTERM')
        return ended
      },
    }
  }
  throw new Error('The sandbox ended before it was ready; its own message is above.')
}
