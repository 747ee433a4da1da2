/** A policy from a bundle URL: taken, asked for again by its ETag, and never followed to where it should not go. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { packTar } from 'modern-tar'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bundleReader } from '../../src/revisions/bundle.ts'
import { BROKEN, type Files, openSite, POLICY, project, READING, rule, type Site } from './site.ts'

let server: Server
let url: string
let asked: IncomingMessage[]
let reply: (request: IncomingMessage, response: ServerResponse) => void
let site: Site | undefined

beforeEach(async () => {
  asked = []
  server = createServer((request, response) => {
    asked.push(request)
    reply(request, response)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/bundle.tar.gz`
})
afterEach(async () => {
  await site?.close()
  site = undefined
  server.closeAllConnections()
  await new Promise((closed) => server.close(closed))
})

const bundle = async (files: Files): Promise<Buffer> => {
  const entries = Object.entries(files).map(([name, body]) => ({
    header: { name, size: Buffer.byteLength(body), type: 'file' as const },
    body,
  }))
  return gzipSync(await packTar(entries))
}
const serve = async (files: Files) => {
  const bytes = await bundle(files)
  const etag = `"${bytes.length}-${bytes.at(-8)}-${bytes.at(-7)}"`
  reply = (request, response) => {
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304).end()
    response.writeHead(200, { etag }).end(bytes)
  }
}
const soon = <Value>(ask: () => Promise<Value> | Value) => expect.poll(ask, { timeout: 15_000, interval: 50 })
const config = () => ({ policy: { bundle: { url, every: '100ms' } } })
const started = () => {
  site = undefined
  return openSite('PGlite').then((opened) => {
    site = opened
    return opened.start('a', POLICY, { config: config() })
  })
}

describe('a gateway with a bundle', () => {
  it('takes it, asks by its ETag, takes the next, and keeps it when the next is broken', async () => {
    await serve({ '/tool_decision.rego': rule(100), '/.manifest': '{}', 'x_test.rego': 'nonsense' })
    const gateway = await started()
    const key = await gateway.key()
    await soon(() => gateway.charge(key)).toBe('policy_denied')
    await soon(() => asked.filter((request) => request.headers['if-none-match']).length).toBeGreaterThan(2)
    const { changes } = (await gateway.admin('GET', '/admin/policies')).body
    expect(changes[0]).toMatchObject({ origin: 'bundle', by: url })

    await serve({ './tool_decision.rego': rule(450), 'limits/data.json': '{"x": 1}' })
    await soon(() => gateway.charge(key)).toBe('allow')
    const good = await gateway.revision()

    await serve({ 'tool_decision.rego': BROKEN })
    await soon(async () => (await gateway.rows()).at(-1)).toMatchObject({
      reason: 'policy_refused',
      tags: { origin: 'bundle', by: url, from: good },
    })
    expect(await gateway.revision()).toBe(good)
  })

  it('stays rolled back while the bundle is what it was, also after a restart', async () => {
    await serve({ 'tool_decision.rego': rule(100) })
    const before = await started()
    const first = await before.revision()
    await soon(() => before.revision()).not.toBe(first)
    await before.admin('POST', '/admin/policies/rollback', {})
    await before.stop()
    asked = []
    const after = await site!.start('a', {}, { config: config() })
    await soon(() => asked.length).toBeGreaterThan(3)
    expect(await after.revision()).toBe(first)
  })

  it('does not lose its project policies to a bundle that has none', async () => {
    await serve({ 'tool_decision.rego': rule(450), 'projects/p.yaml': project([READING]) })
    const gateway = await started()
    const key = await gateway.key({ project: 'p' })
    await soon(() => gateway.charge(key)).toBe('policy_denied')
    const good = await gateway.revision()
    await serve({ 'tool_decision.rego': rule(400) })
    await soon(async () => (await gateway.rows()).at(-1)).toMatchObject({ reason: 'policy_refused' })
    expect(await gateway.revision()).toBe(good)
  })

  it('serves on when the bundle cannot be reached', async () => {
    reply = (_request, response) => void response.destroy()
    const gateway = await started()
    await soon(() => asked.length).toBeGreaterThan(1)
    expect(await gateway.charge(await gateway.key())).toBe('allow')
  })

  it.each(['http://policies.example.com/bundle.tar.gz', 'https://user:pass@policies.example.com/b', 'file:///b'])(
    'is not started with %s',
    async (address) => {
      site = await openSite('PGlite')
      await expect(site.start('a', POLICY, { config: { policy: { bundle: { url: address } } } })).rejects.toThrow(
        /policy\.bundle\.url/,
      )
    },
  )
})

describe('what is answered instead of a bundle', () => {
  const ANSWERS = [
    {
      name: 'a redirect to another host',
      status: 302,
      headers: { location: 'http://localhost:9/b' },
      says: /another host/,
    },
    { name: 'redirects without end', status: 302, headers: { location: '/again' }, says: /redirects more than/ },
    { name: 'not found', status: 404, headers: {}, says: /answered 404/ },
    { name: 'something that is no gzip', status: 200, headers: {}, says: /header/ },
  ] as const
  it.each(ANSWERS)('$name is said, and nothing is taken', async ({ status, headers, says }) => {
    reply = (_request, response) => void response.writeHead(status, headers).end('no bundle')
    const read = bundleReader({ url, every_ms: 1 })
    expect(await read()).toMatchObject({ kind: 'failed', why: expect.stringMatching(says) })
  })

  it('too many bytes are not read to their end', async () => {
    reply = (_request, response) => {
      response.on('error', () => {})
      const more = () => response.destroyed || response.write(Buffer.alloc(1 << 20), more)
      more()
    }
    expect(await bundleReader({ url, every_ms: 1 })()).toMatchObject({
      kind: 'failed',
      why: expect.stringMatching(/larger/),
    })
  })
})
