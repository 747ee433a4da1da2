/** What the history keeps: the files of a revision, one JSON array a line, `["name","content"]`; and modules; compressed. */
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { PolicyFile } from '../model/revision.ts'
import { pausing } from '../policy/index.ts'

const UNPACKED_BYTES_MAX = 256 * 1024 * 1024
const NEWLINE = 10

export async function pack(files: readonly PolicyFile[]): Promise<Buffer> {
  const lines: string[] = []
  const pause = pausing()
  for (const { name, content } of files) {
    lines.push(JSON.stringify([name, content]), '\n')
    await pause()
  }
  return promisify(gzip)(lines.join(''))
}

/** Throws for what `pack` did not make. */
export async function unpack(packed: Buffer): Promise<readonly PolicyFile[]> {
  const bytes = await promisify(gunzip)(packed, { maxOutputLength: UNPACKED_BYTES_MAX })
  const files: PolicyFile[] = []
  const pause = pausing()
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, start)
    const line: unknown = JSON.parse(bytes.toString('utf8', start, end < 0 ? bytes.length : end))
    if (!Array.isArray(line) || typeof line[0] !== 'string' || typeof line[1] !== 'string')
      throw new Error('a line is not a name and a content')
    files.push({ name: line[0], content: line[1] })
    start = end < 0 ? bytes.length : end + 1
    await pause()
  }
  return files
}

export const packModule = (wasm: Buffer): Promise<Buffer> => promisify(gzip)(wasm)

/** Throws for what is not compressed, or becomes too large. */
export const unpackModule = (packed: Buffer): Promise<Buffer> =>
  promisify(gunzip)(packed, { maxOutputLength: UNPACKED_BYTES_MAX })
