/** The vault key's secret: `cs_` and 256 random bits. Only its keyed digest is stored, so a stolen table opens nothing. */
import { createHmac, randomBytes } from 'node:crypto'
import type { MasterKey } from './seal.ts'

export const newSecret = (): string => `cs_${randomBytes(32).toString('base64url')}`

export const isVaultSecret = (text: string): boolean => /^cs_[A-Za-z0-9_-]{43}$/.test(text)

export const digestOf = (master: MasterKey, secret: string): Buffer =>
  createHmac('sha256', master.digests).update(secret).digest()
