/** Signatures with the gateways' own key: Ed25519 from the master key, so that whoever shares that key can verify. */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'

export interface Signer {
  /** 32 bytes. */
  readonly public_key: Buffer
  /** 64 bytes. */
  sign(text: string): Buffer
  verify(text: string, signature: Buffer): boolean
}

/** What PKCS #8 puts before the 32 bytes of an Ed25519 key. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const KEY_BYTES = 32

/** `seed`: 32 bytes, derived for this purpose alone. */
export function signer(seed: Buffer): Signer {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey)
  return {
    public_key: publicKey.export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES),
    sign: (text) => sign(null, Buffer.from(text), privateKey),
    verify: (text, signature) => verify(null, Buffer.from(text), publicKey, signature),
  }
}
