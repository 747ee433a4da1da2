/** One HTTP listener with the limits of both planes. */
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import { type HttpBindings, serve } from '@hono/node-server'
import type { Hono } from 'hono'

/** A request that has not come whole by then gets 408. */
const REQUEST_MS_MAX = 30_000
const HEADERS_MS_MAX = 10_000
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
        createServer,
        serverOptions: {
          requestTimeout: REQUEST_MS_MAX,
          headersTimeout: HEADERS_MS_MAX,
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
