/** Secrets that are made once and kept in the data directory, readable by its owner only. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface LocalSecret {
  readonly value: string
  /** True when it was made just now: an admin token is shown then, and never again. */
  readonly made: boolean
}

export const ADMIN_TOKEN_FILE = 'admin-token'
const MASTER_KEY_FILE = 'master-key'

export const localAdminToken = (dir: string): LocalSecret =>
  localSecret(dir, ADMIN_TOKEN_FILE, () => `csadm_${randomBytes(32).toString('base64url')}`)

export const localMasterKey = (dir: string): LocalSecret =>
  localSecret(dir, MASTER_KEY_FILE, () => randomBytes(32).toString('base64'))

/** `wx`: two gateways that start at once over one directory end with one secret. */
function localSecret(dir: string, name: string, make: () => string): LocalSecret {
  const path = join(dir, name)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  try {
    const value = make()
    writeFileSync(path, `${value}\n`, { flag: 'wx', mode: 0o600 })
    return { value, made: true }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return { value: readFileSync(path, 'utf8').trim(), made: false }
  }
}
