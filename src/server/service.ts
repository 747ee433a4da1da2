/** What both planes serve beside their work: health, readiness, metrics, the description of the routes and its page. */
import { createReadStream } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { REFUSALS } from '../model/refusal.ts'

export interface Service {
  /** Each part's name, and what is wrong with it where something is. */
  readonly readiness: () => Promise<{ readonly ready: boolean; readonly [part: string]: unknown }>
  readonly metrics: () => Promise<string>
  readonly openapi: object
}

const ASSETS = { 'swagger-ui.css': 'text/css', 'swagger-ui-bundle.js': 'text/javascript' } as const

export function serviceRoutes(service: Service): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.get('/healthz', (c) => c.json({ status: 'ok' }))
  app.get('/readyz', async (c) => {
    const readiness = await service.readiness()
    return c.json(readiness, readiness.ready ? 200 : 503)
  })
  app.get('/metrics', async (c) => c.text(await service.metrics()))
  app.get('/openapi.json', (c) => c.json(service.openapi))
  app.get('/docs', (c) => {
    c.header(
      'content-security-policy',
      "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
    )
    return c.html(PAGE)
  })
  app.get('/docs/errors', (c) => {
    c.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
    return c.html(ERRORS)
  })
  app.get('/docs/start.js', (c) => c.body(START, 200, { 'content-type': 'text/javascript' }))
  app.get('/docs/assets/:file', (c) => {
    const file = c.req.param('file') as keyof typeof ASSETS
    if (!Object.hasOwn(ASSETS, file)) return c.notFound()
    const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
    return c.body(Readable.toWeb(createReadStream(join(folder, file))) as ReadableStream, 200, {
      'content-type': ASSETS[file],
    })
  })
  return app
}

/** Where the `type` of a problem document leads. */
const ERRORS = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Countersign: errors</title>
<style>body { font: 16px/1.5 system-ui; max-width: 44rem; margin: 2rem auto; padding: 0 1rem } :target { background: #ff08 }</style>
<h1>Errors</h1>
${Object.entries(REFUSALS)
  .map(
    ([code, { status, title, fix, retryable }]) =>
      `<h2 id="${code}">${code}</h2>\n<p>${title}. HTTP ${status}; ${retryable ? 'the same call with the same call id may be sent again' : 'the same call brings the same answer'}.</p>\n<p>Fix: ${fix.replaceAll('<', '&lt;')}</p>`,
  )
  .join('\n')}
</html>
`

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Countersign: routes</title>
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
<div id="routes"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
`
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#routes', deepLinking: true })\n`
