/** A policy from a URL: a tar.gz in the layout of OPA's bundles, asked for again with its ETag. */
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { unpackTar } from 'modern-tar'
import type { PolicyFile } from '../model/revision.ts'
import { isPolicyFile } from '../policy/index.ts'

export interface BundleSettings {
  /** schemas/config.json has it https, or http on this machine. */
  readonly url: string
  readonly every_ms: number
}

export type BundleAnswer =
  | { readonly kind: 'files'; readonly files: readonly PolicyFile[]; readonly has_projects: boolean }
  /** As it was. */
  | { readonly kind: 'same' }
  | { readonly kind: 'failed'; readonly why: string }

const BUNDLE_BYTES_MAX = 16 * 1024 * 1024
const UNPACKED_BYTES_MAX = 128 * 1024 * 1024
const TIMEOUT_MS = 10_000
const REDIRECTS_MAX = 3
const PROJECT_FILE = /^projects\/[^/.][^/]*\.ya?ml$/

/** Each call asks once. What was read before is told apart by its ETag. */
export function bundleReader({ url }: BundleSettings): () => Promise<BundleAnswer> {
  let etag: string | null = null
  return async () => {
    try {
      const response = await ask(url, etag)
      if (response.status === 304) return { kind: 'same' }
      if (response.status !== 200) return { kind: 'failed', why: `it answered ${response.status}` }
      const found = await filesIn(await bytesOf(response))
      etag = response.headers.get('etag')
      return { kind: 'files', ...found }
    } catch (error) {
      const { message, cause } = error as Error
      return { kind: 'failed', why: cause instanceof Error ? `${message}: ${cause.message}` : message }
    }
  }
}

/** Follows redirects on the same origin only: another host was never named by the operator. */
async function ask(url: string, etag: string | null): Promise<Response> {
  let at = url
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
    const response = await fetch(at, {
      redirect: 'manual',
      headers: {
        accept: 'application/gzip, application/octet-stream',
        ...(etag !== null && { 'if-none-match': etag }),
      },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const location = response.headers.get('location')
    if (response.status < 300 || response.status > 399 || response.status === 304 || location === null) return response
    await response.body?.cancel()
    const next = new URL(location, at)
    if (next.origin !== new URL(url).origin) throw new Error(`it redirects to another host (${next.origin})`)
    at = next.href
  }
  throw new Error(`it redirects more than ${REDIRECTS_MAX} times`)
}

async function bytesOf(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > BUNDLE_BYTES_MAX) throw new Error(`it is larger than ${BUNDLE_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Rego and data anywhere, project policies under `projects/`; tests, manifests and what else a bundle holds is left out. */
async function filesIn(bundle: Buffer): Promise<{ files: readonly PolicyFile[]; has_projects: boolean }> {
  const tar = await promisify(gunzip)(bundle, { maxOutputLength: UNPACKED_BYTES_MAX })
  const files = new Map<string, PolicyFile>()
  let has_projects = false
  for (const { header, data } of await unpackTar(tar)) {
    const name = header.name.replace(/^(\.?\/)+/, '')
    has_projects ||= name.startsWith('projects/')
    if (header.type !== 'file' || data === undefined || name.endsWith('_test.rego')) continue
    if (name.startsWith('projects/') ? !PROJECT_FILE.test(name) : !isPolicyFile(name)) continue
    if (files.has(name)) throw new Error(`it has two files ${name}`)
    files.set(name, { name, content: Buffer.from(data).toString('utf8') })
  }
  return { files: [...files.values()], has_projects }
}
