import { type AddressInfo, createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { committed, rig, SECRET } from './operations.ts'
import { OUTCOME_CASES } from './outcome-cases.ts'
import { deadOrigin, type Provider, provider, type Step } from './provider.ts'

interface Closing {
  close(): Promise<void>
}
const open: Closing[] = []
const opened = <T extends Closing>(thing: T): T => {
  open.push(thing)
  return thing
}
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close()
})
const serving = async (script: readonly Step[], ...more: [boolean?]): Promise<Provider> =>
  opened(await provider(script, ...more))
const reaching = (...args: Parameters<typeof rig>) => {
  const made = rig(...args)
  opened(made.upstream)
  return made
}

const until = async (ready: () => boolean): Promise<void> => {
  while (!ready()) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('how a call ends', () => {
  it.each(OUTCOME_CASES)('$name', async (row) => {
    const { origin, requests } = await serving(row.script)
    const { upstream, waits, logged } = reaching(origin, row.patience_ms ? { attempt_ms: row.patience_ms } : {})
    const intent = committed(row.operation)

    const outcome = await upstream[row.by ?? 'send'](intent)

    expect(outcome).toMatchObject({ kind: row.kind, attempts: row.attempts })
    expect(outcome.detail).toContain(row.detail)
    expect(outcome.answer?.status).toBe(row.status)
    if (row.waits) expect(waits).toEqual(row.waits)
    // Whatever happened: every attempt arrived, under the one key, byte for byte the same.
    expect(requests).toHaveLength(row.attempts)
    expect(new Set(requests).size).toBeLessThanOrEqual(1)
    for (const request of requests) {
      const keys = [...request.matchAll(/^idempotency-key: (.*)\r$/gim)].map((match) => match[1])
      expect(keys).toEqual(intent.operation.method === 'GET' ? [] : [`cs-${intent.event_id}`])
    }
    expect(JSON.stringify(outcome) + logged.join()).not.toContain(SECRET)
  })
})

describe('a request', () => {
  it('is the stored one, with a closed list of headers', async () => {
    const { origin, requests } = await serving([{ answer: 200 }])
    const intent = committed('create_charge')
    await reaching(origin).upstream.send(intent)
    expect(requests[0]!.split('\r\n').sort()).toEqual(
      [
        'POST /v1/charges HTTP/1.1',
        `host: ${origin.slice('http://'.length)}`,
        'connection: keep-alive',
        'accept: application/json',
        'accept-encoding: identity',
        'user-agent: countersign/0.1.0',
        'stripe-version: 2026-08-26',
        `authorization: Bearer ${SECRET}`,
        `idempotency-key: cs-${intent.event_id}`,
        'content-type: application/x-www-form-urlencoded',
        'content-length: 45',
        '',
        'amount=500&currency=usd&description=caf%C3%A9',
      ].sort(),
    )
  })

  it('is not followed to another host: that one receives nothing', async () => {
    const other = await serving([{ answer: 200 }])
    const { origin } = await serving([{ answer: 307, headers: { location: `${other.origin}/v1/charges` } }])
    const outcome = await reaching(origin).upstream.send(committed('create_charge'))
    expect(outcome.kind).toBe('failed')
    expect(other.connections()).toBe(0)
  })

  it.each(['//evil.example/v1', 'http://evil.example/v1', '/\\evil.example', '/v1/a b', '/v1#x', 'v1'])(
    'whose path is %s does not leave',
    async (path) => {
      const { origin, connections } = await serving([{ answer: 200 }])
      const { upstream } = reaching(origin)
      const intent = committed('create_charge')
      const outcome = await upstream.send({ ...intent, request: { ...intent.request, path } })
      expect(outcome).toMatchObject({ kind: 'failed', attempts: 0 })
      expect(connections()).toBe(0)
    },
  )
})

describe('where nothing is sent', () => {
  it('a refused connection fails, with attempts 0', async () => {
    const { upstream, waits } = reaching(await deadOrigin())
    expect(await upstream.send(committed('create_charge'))).toMatchObject({
      kind: 'failed',
      attempts: 0,
      detail: 'connection refused before anything was sent',
    })
    expect(waits).toEqual([200, 400])
  })

  it('a refused connection leaves a resent call unknown', async () => {
    const { upstream } = reaching(await deadOrigin())
    expect(await upstream.resend(committed('create_charge'))).toMatchObject({ kind: 'unknown', attempts: 0 })
  })

  it('a host name that does not exist fails', async () => {
    const { upstream } = reaching('https://nowhere.invalid')
    const outcome = await upstream.send(committed('create_charge'))
    expect(outcome).toMatchObject({ kind: 'failed', attempts: 0 })
    expect(outcome.detail).toContain('before anything was sent')
  })

  it('a TLS handshake that fails is no request: failed, and nothing in clear', async () => {
    let received = ''
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        received += chunk.toString('latin1')
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    opened({ close: (): Promise<void> => new Promise((resolve) => server.close(() => resolve())) })
    const { upstream } = reaching(`https://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const outcome = await upstream.send(committed('create_charge'))
    expect(outcome).toMatchObject({ kind: 'failed', attempts: 0 })
    expect(received).not.toContain('/v1/charges')
  })

  it('a call given up while it waits for a connection fails, and does not leave later', async () => {
    const { origin, requests } = await serving([{ hang: 'for ever' }, { answer: 200 }])
    const { upstream } = reaching(origin, { connections: 1, attempt_ms: 60_000 })
    const [stopFirst, stopSecond] = [new AbortController(), new AbortController()]
    const first = upstream.send(committed('create_charge'), stopFirst.signal)
    const second = upstream.send(committed('send_message'), stopSecond.signal)
    await until(() => requests.length === 1)
    stopSecond.abort()
    expect(await second).toMatchObject({ kind: 'failed', attempts: 0 })
    stopFirst.abort()
    expect(await first).toMatchObject({ kind: 'unknown', attempts: 1 })
    expect(await upstream.send(committed('create_charge'))).toMatchObject({ kind: 'succeeded', attempts: 1 })
    expect(requests.filter((request) => request.includes('Messages.json'))).toEqual([])
  })

  it.each([
    ['there is no credential', async (): Promise<string | null> => null],
    ['the credential is empty', async (): Promise<string | null> => ''],
    ['the credential cannot be read', (): Promise<string> => Promise.reject(new Error(`cannot unseal ${SECRET}`))],
  ] as const)('because %s, a call fails and no connection is made', async (_, credential) => {
    const { origin, connections } = await serving([{ answer: 200 }])
    const { upstream, logged } = reaching(origin, {}, credential)
    const outcome = await upstream.send(committed('create_charge'))
    expect(outcome).toMatchObject({ kind: 'failed', attempts: 0 })
    expect(connections()).toBe(0)
    expect(JSON.stringify(outcome) + logged.join()).not.toContain(SECRET)
  })

  it('as the provider may have forgotten the key, an old call stays unknown', async () => {
    const { origin, connections } = await serving([{ answer: 200 }])
    const { upstream } = reaching(origin)
    const old = committed('create_charge', 23.5 * 3_600_000)
    expect(await upstream.resend(old)).toMatchObject({ kind: 'unknown', attempts: 0 })
    expect(connections()).toBe(0)
    // Approved a day after it was asked for: never sent before, so that there is nothing to forget.
    expect(await upstream.send(old)).toMatchObject({ kind: 'succeeded', attempts: 1 })
  })
})

describe('time', () => {
  it('ends the call where the next wait would pass the deadline', async () => {
    const { origin, requests } = await serving([{ answer: 429, headers: { 'retry-after': '5' } }])
    const { upstream, waits } = reaching(origin, {
      retry_for_ms: 12_000,
      retries: { count: 9, delay_ms: 1, delay_ms_max: 1, retry_after_ms_max: 60_000 },
    })
    expect(await upstream.send(committed('create_charge'))).toMatchObject({ kind: 'failed', attempts: 3 })
    expect(waits).toEqual([5000, 5000])
    expect(requests).toHaveLength(3)
  })

  it('doubles the wait up to its limit', async () => {
    const { origin } = await serving([{ answer: 500 }])
    const { upstream, waits } = reaching(origin, {
      retries: { count: 5, delay_ms: 400, delay_ms_max: 1_000, retry_after_ms_max: 5_000 },
    })
    await upstream.send(committed('create_charge'))
    expect(waits).toEqual([200, 400, 500, 500, 500])
  })

  it('is given up on a signal: unknown once bytes left', async () => {
    const { origin, requests } = await serving([{ hang: 'for ever' }])
    const { upstream } = reaching(origin, { attempt_ms: 60_000 })
    const stop = new AbortController()
    const sending = upstream.send(committed('create_charge'), stop.signal)
    await until(() => requests.length > 0)
    stop.abort()
    expect(await sending).toMatchObject({ kind: 'unknown', attempts: 1 })
  })

  it('is given up on a signal: failed where nothing left', async () => {
    const { origin, connections } = await serving([{ answer: 200 }])
    const { upstream } = reaching(origin)
    expect(await upstream.send(committed('create_charge'), AbortSignal.abort())).toMatchObject({
      kind: 'failed',
      attempts: 0,
    })
    expect(connections()).toBe(0)
  })
})

describe('connections', () => {
  it('are kept and used again', async () => {
    const { origin, connections } = await serving([{ answer: 200 }])
    const { upstream } = reaching(origin)
    for (let call = 0; call < 20; call += 1) await upstream.send(committed('create_charge'))
    // A connection rests for one turn of the event loop after an answer, so that a second one may open.
    expect(connections()).toBeLessThanOrEqual(2)
  })

  it('that the provider closes after each answer cost no call its outcome', async () => {
    const { origin, connections } = await serving([{ answer: 200 }], true)
    const { upstream } = reaching(origin)
    for (let call = 0; call < 20; call += 1) {
      expect(await upstream.send(committed('create_charge'))).toMatchObject({ kind: 'succeeded' })
    }
    expect(connections()).toBeGreaterThanOrEqual(20)
  })

  it('that the provider resets on the next request cost a repeat under the same key', async () => {
    const { origin, requests } = await serving([{ answer: 200 }, { reset: 'before the answer' }, { answer: 200 }])
    const { upstream } = reaching(origin, { connections: 1 })
    await upstream.send(committed('create_charge'))
    expect(await upstream.send(committed('create_charge'))).toMatchObject({ kind: 'succeeded', attempts: 2 })
    expect(requests[1]).toBe(requests[2])
  })

  it('are closed once what runs has ended; a later call fails without leaving', async () => {
    const { origin, requests } = await serving([{ reset: 'before the answer' }, { answer: 200 }])
    const { upstream } = reaching(origin)
    const sending = upstream.send(committed('create_charge'))
    await upstream.close()
    expect(await sending).toMatchObject({ kind: 'succeeded', attempts: 2 })
    expect(await upstream.send(committed('create_charge'))).toMatchObject({ kind: 'failed', attempts: 0 })
    expect(requests).toHaveLength(2)
  })
})

describe('an answer', () => {
  it('keeps the headers that the SDK reads, the request id, and no others', async () => {
    const { origin } = await serving([
      {
        answer: 200,
        headers: { 'Request-Id': 'req_9', 'Idempotent-Replayed': 'true', 'Set-Cookie': 'a=b', 'Stripe-Version': 'v' },
        body: { id: 'ch_1' },
      },
    ])
    const outcome = await reaching(origin).upstream.send(committed('create_charge'))
    expect(outcome.upstream_request_id).toBe('req_9')
    expect(outcome.answer).toEqual({
      status: 200,
      body: { id: 'ch_1' },
      headers: { 'request-id': 'req_9', 'idempotent-replayed': 'true', 'stripe-version': 'v' },
    })
  })

  it('that echoes the credential is kept without it', async () => {
    const { origin } = await serving([
      { answer: 401, body: { error: { message: `Invalid API Key provided: ${SECRET}` } } },
    ])
    const outcome = await reaching(origin).upstream.send(committed('create_charge'))
    expect(outcome.answer?.body).toEqual({ error: { message: 'Invalid API Key provided: [credential]' } })
  })
})
