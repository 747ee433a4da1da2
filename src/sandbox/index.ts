/**
 * A stateful Stripe to run against, in a process of its own: the API's shapes, errors and idempotency, a ledger of the
 * effects that really happened, and misbehaviour on command. It keeps everything in memory and never calls anyone.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DEMO_SEED } from './demo-seed.ts'
import { Sandbox } from './sandbox.ts'
import type { Seed } from './seed.ts'
import { listener } from './server.ts'

export type { Effect, SeenRequest } from './effects.ts'
export type { Rule } from './misbehave.ts'
export type { Seed } from './seed.ts'

export interface SandboxOptions {
  /** 0: any free port. */
  readonly port: number
  readonly host?: string
  /** What it holds at the start and after a reset; by default `DEMO_SEED`. */
  readonly seed?: Seed
  /** The one secret key that it accepts; by default any `sk_test_…`. */
  readonly secretKey?: string
}

export interface RunningSandbox {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** Drops every connection, hanging ones too. */
  close(): Promise<void>
}

/** Rejects where the port cannot be had. */
export async function startSandbox(options: SandboxOptions): Promise<RunningSandbox> {
  const { port, host = '127.0.0.1', seed = DEMO_SEED, secretKey } = options
  const server = createServer(listener(new Sandbox(seed), secretKey))
  // Clients pool connections; closing them early is a rule of misbehaviour, not a habit.
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address() as AddressInfo
  return {
    url: `http://${host}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
