import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

const MAIN = fileURLToPath(new URL('../../src/sandbox/main.ts', import.meta.url))
const started: ChildProcess[] = []
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

function start(stdin: 'pipe' | 'ignore', ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...args], { stdio: [stdin, 'pipe', 'pipe'] })
  started.push(child)
  return child
}

async function firstLine(stream: Readable | null): Promise<string> {
  let text = ''
  for await (const chunk of stream!.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += chunk
    if (text.includes('\n')) return text.slice(0, text.indexOf('\n'))
  }
  return text
}

const READY = /^sandbox ready on (http:\/\/127\.0\.0\.1:\d+)$/

describe('the process of its own', () => {
  it('says where it is, answers, and ends when its stdin closes', async () => {
    const child = start('pipe')
    const url = READY.exec(await firstLine(child.stdout))?.[1]
    const response = await fetch(`${url}/v1/charges/ch_123`, { headers: { Authorization: 'Bearer sk_test_x' } })
    expect(await response.json()).toMatchObject({ id: 'ch_123', amount: 20_000 })
    child.stdin!.end()
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('ends with a parent that is killed', async () => {
    const script = `require('node:child_process').spawn(process.execPath, ${JSON.stringify(['--import', 'tsx', MAIN])}, { stdio: ['pipe', 1, 2] })`
    const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    started.push(parent)
    const url = READY.exec(await firstLine(parent.stdout))?.[1]
    const answers = () =>
      fetch(`${url}/v1/balance`).then(
        () => true,
        () => false,
      )
    expect(await answers()).toBe(true)
    parent.kill('SIGKILL')
    await expect.poll(answers, { timeout: 5_000 }).toBe(false)
  })

  it('lives without a stdin, until a signal', async () => {
    const child = start('ignore', '--secret-key', 'sk_test_one')
    const url = READY.exec(await firstLine(child.stdout))?.[1]
    const as = async (key: string) =>
      (await fetch(`${url}/v1/balance`, { headers: { Authorization: `Bearer ${key}` } })).status
    expect([await as('sk_test_one'), await as('sk_test_two')]).toEqual([200, 401])
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it.each([
    ['a port that is none', ['--port', 'x'], '--port x is not a port'],
    ['an option that it has not', ['--fast'], "Unknown option '--fast'"],
    ['an address that is not here', ['--host', '192.0.2.1'], 'cannot listen on 192.0.2.1:0'],
  ] as const)('refuses %s', async (_, args, words) => {
    const child = start('ignore', ...args)
    const exit = once(child, 'exit')
    expect(await firstLine(child.stderr)).toContain(words)
    expect(await exit).toEqual([2, null])
  })
})
