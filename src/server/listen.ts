/** One HTTP listener with the limits of both planes. */
import type { RequestListener, Server, ServerOptions } from 'node:http'
import { createServer } from 'node:http'
import { type HttpBindings, serve } from '@hono/node-server'
import type { Hono } from 'hono'
import { refuse } from '../model/refusal.ts'
import { problemOf } from './problem.ts'
import { keepTarget } from './target.ts'

/** A request that has not come whole by then gets 408. */
const REQUEST_MS_MAX = 30_000
const HEADERS_MS_MAX = 10_000
/** How often it is looked for who has passed those two. */
const CHECK_MS = 1_000
const HEADER_BYTES_MAX = 16 * 1024
/** Longer than a client's pool keeps a connection, so that the gateway is not the one to close it under a request. */
const IDLE_MS = 75_000
const SWEEP_MS = 50

export interface Listener {
  readonly port: number
  /** Takes no new connection, waits for what is being answered, then closes. */
  close(): Promise<void>
}

export function listen(app: Hono<{ Bindings: HttpBindings }>, host: string, port: number): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const server = serve(
      {
        fetch: app.fetch,
        hostname: host,
        port,
        createServer: strictServer,
        serverOptions: {
          requestTimeout: REQUEST_MS_MAX,
          headersTimeout: HEADERS_MS_MAX,
          connectionsCheckingInterval: CHECK_MS,
          maxHeaderSize: HEADER_BYTES_MAX,
          keepAliveTimeout: IDLE_MS,
          insecureHTTPParser: false,
        },
      },
      (info) => resolve({ port: info.port, close: () => closed(server) }),
    ) as Server
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(
              `Port ${port} on ${host} is taken. Stop what listens there, or set COUNTERSIGN_PORT and COUNTERSIGN_ADMIN_PORT.`,
            )
          : error,
      ),
    )
  })
}

/** A name or an address, and a port: what a URL can hold. */
const HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i

/** Sees each request before any router does. */
const strictServer = ((options: ServerOptions, listener: RequestListener) =>
  createServer(options, (incoming, outgoing) => {
    const hosts = incoming.headersDistinct.host ?? []
    if (hosts.length !== 1 || !HOST.test(hosts[0]!)) {
      const refusal = refuse('malformed_request', 'The request has no Host header that names one host.')
      outgoing.writeHead(400, { 'content-type': 'application/problem+json', connection: 'close' })
      outgoing.end(JSON.stringify(problemOf(refusal)))
      return
    }
    keepTarget(incoming)
    listener(incoming, outgoing)
  })) as typeof createServer

/** A connection that was being answered is idle afterwards, and its client would keep it: look again until all are gone. */
const closed = (server: Server): Promise<void> =>
  new Promise((done) => {
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS)
    server.close(() => {
      clearInterval(sweep)
      done()
    })
    server.closeIdleConnections()
  })
