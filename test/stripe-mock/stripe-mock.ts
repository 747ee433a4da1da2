/** Stripe's own mock, which knows every route and param of the API and keeps nothing. `make services` builds it. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { freePort, launch } from '../services/process.ts'

const PROGRAM = fileURLToPath(new URL('../../.cache/bin/stripe-mock', import.meta.url))

export interface StripeMock {
  readonly url: string
  close(): Promise<void>
}

export async function startStripeMock(): Promise<StripeMock> {
  if (!existsSync(PROGRAM)) throw new Error(`There is no ${PROGRAM}: \`make services\` builds it.`)
  const url = `http://127.0.0.1:${await freePort()}`
  const { signal, ended } = await launch({
    program: PROGRAM,
    args: ['-http-addr', new URL(url).host, '-strict-version-check'],
    cwd: '/',
    answers: async () => {
      await fetch(url)
    },
  })
  return {
    url,
    close: () => {
      signal('SIGTERM')
      return ended
    },
  }
}
