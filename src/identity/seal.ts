/** Encryption at rest: AES-256-GCM under keys derived from the master key, each for one purpose. */
import { createCipheriv, createDecipheriv, hkdfSync, randomFillSync } from 'node:crypto'

export interface MasterKey {
  readonly digests: Buffer
  readonly bodies: Buffer
  readonly credentials: Buffer
  /** Seed of the key that signs policy revisions. */
  readonly policySigning: Buffer
}

const FORMAT = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** From 32 bytes in base64. Throws a plain sentence for anything else. */
export function masterKey(base64: string): MasterKey {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.length !== 32 || bytes.toString('base64') !== base64.trim())
    throw new Error('COUNTERSIGN_MASTER_KEY must be 32 bytes in base64; make one with `openssl rand -base64 32`')
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', bytes, '', `countersign/${purpose}`, 32))
  return {
    digests: derive('digests'),
    bodies: derive('bodies'),
    credentials: derive('credentials'),
    policySigning: derive('policy-signing'),
  }
}

/** What is sealed for one place does not open in another: `place` is authenticated with the bytes. */
export interface Sealer {
  seal(plain: string, place: string): Buffer
  /** Throws when the bytes were changed, moved, or sealed under another master key. */
  open(sealed: Buffer, place: string): string
}

export const sealer = (key: Buffer): Sealer => ({
  seal: (plain, place) => sealBytes(key, Buffer.from(plain), place),
  open: (sealed, place) => openBytes(key, sealed, place).toString(),
})

/** Asked for many at a time: each question to the generator costs more than its answer. */
const nonces = Buffer.alloc(NONCE_BYTES * 256)
let used = nonces.length

function freshNonce(): Buffer {
  if (used === nonces.length) {
    randomFillSync(nonces)
    used = 0
  }
  used += NONCE_BYTES
  return nonces.subarray(used - NONCE_BYTES, used)
}

export function sealBytes(key: Buffer, plain: Buffer, place: string): Buffer {
  const nonce = freshNonce()
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place))
  const body = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([Buffer.of(FORMAT), nonce, cipher.getAuthTag(), body])
}

export function openBytes(key: Buffer, sealed: Buffer, place: string): Buffer {
  if (sealed[0] !== FORMAT || sealed.length < 1 + NONCE_BYTES + TAG_BYTES)
    throw new Error(`sealed bytes of ${place} are not in a known format`)
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES)
  const tag = sealed.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place)).setAuthTag(tag)
  try {
    return Buffer.concat([decipher.update(sealed.subarray(1 + NONCE_BYTES + TAG_BYTES)), decipher.final()])
  } catch (cause) {
    throw new Error(`sealed bytes of ${place} do not open: another COUNTERSIGN_MASTER_KEY, or changed bytes`, { cause })
  }
}
