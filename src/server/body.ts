/** The raw body, bounded. Nothing is decoded here: what the bytes mean is the catalogue's to say. */
import type { IncomingMessage } from 'node:http'
import { type Refusal, refuse } from '../model/refusal.ts'

/** The largest request that any operation of the catalogue needs, with room to spare. */
export const BODY_BYTES_MAX = 256 * 1024

/** Below the listener's own limit for a whole request, so that it is this one that refuses, with a row. */
const BODY_MS_MAX = 20_000

export async function readBody(incoming: IncomingMessage, bytesMax = BODY_BYTES_MAX): Promise<Buffer | Refusal> {
  const { 'content-encoding': encoding, 'content-length': length } = incoming.headers
  if (encoding !== undefined && encoding !== 'identity')
    return refuse('malformed_request', `The body is ${encoding}-encoded; send it as it is.`)
  if (Number(length ?? 0) > bytesMax) return tooLarge(bytesMax)
  const chunks: Buffer[] = []
  let bytes = 0
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(tooSlow()), BODY_MS_MAX)
    incoming
      .on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes <= bytesMax) chunks.push(chunk)
        else resolve(tooLarge(bytesMax))
      })
      .once('end', () => {
        clearTimeout(timer)
        resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
      })
      // A client that goes away before the end is an error too.
      .once('error', (error) => {
        clearTimeout(timer)
        reject(error)
      })
  })
}

const tooLarge = (bytesMax: number): Refusal => refuse('request_too_large', `The body is over ${bytesMax} bytes.`)

const tooSlow = (): Refusal => refuse('request_timeout', `The body did not come whole within ${BODY_MS_MAX / 1000} s.`)
