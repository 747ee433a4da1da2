/** A provider made of raw TCP: it writes down every byte it receives, and misbehaves by script, one step a request. */
import { type AddressInfo, createServer, type Socket } from 'node:net'

export type Step =
  /** A whole answer; `body` is JSON, or text as it stands. */
  | { readonly answer: number; readonly headers?: Record<string, string>; readonly body?: unknown }
  /** RST, with nothing answered. */
  | { readonly reset: 'before the answer' }
  /** Bytes as they stand, and then what becomes of the connection. */
  | { readonly bytes: string; readonly end: 'reset' | 'close' | 'hang' }
  | { readonly hang: 'for ever' }
  /** A head, then one space after the other without end: a body that is always alive and never whole. */
  | { readonly drip: string }

export interface Provider {
  readonly origin: string
  /** Raw requests, in the order in which they arrived. */
  readonly requests: readonly string[]
  readonly connections: () => number
  close(): Promise<void>
}

/** Steps are used in order; the last one serves whatever comes after. */
export async function provider(script: readonly Step[], idleCloseAfterAnswers = false): Promise<Provider> {
  const requests: string[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    let pending = ''
    socket.on('data', (chunk) => {
      pending += chunk.toString('latin1')
      const request = wholeRequest(pending)
      if (request === null) return
      pending = ''
      const step = script[Math.min(requests.length, script.length - 1)]!
      requests.push(request)
      play(socket, step)
      if (idleCloseAfterAnswers) socket.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    connections: () => connections,
    close: () => {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** A port on which nothing listens. */
export async function deadOrigin(): Promise<string> {
  const gone = await provider([{ hang: 'for ever' }])
  await gone.close()
  return gone.origin
}

function wholeRequest(bytes: string): string | null {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return null
  const length = Number(/content-length: (\d+)/i.exec(bytes)?.[1] ?? 0)
  return bytes.length >= end + 4 + length ? bytes : null
}

function play(socket: Socket, step: Step): void {
  if ('hang' in step) return
  if ('drip' in step) {
    socket.write(step.drip)
    const drops = setInterval(() => socket.write(' '), 20)
    socket.on('close', () => clearInterval(drops))
    return
  }
  if ('reset' in step) {
    socket.resetAndDestroy()
  } else if ('bytes' in step) {
    socket.write(step.bytes, () => {
      if (step.end === 'close') socket.end()
      // Given time to arrive: a reset throws away what the other side has not read.
      else if (step.end === 'reset') setTimeout(() => socket.resetAndDestroy(), 50)
    })
  } else {
    const body = typeof step.body === 'string' ? step.body : JSON.stringify(step.body ?? {})
    const headers = {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      ...step.headers,
    }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`HTTP/1.1 ${step.answer} Whatever\r\n${lines.join('')}\r\n${body}`)
  }
}
