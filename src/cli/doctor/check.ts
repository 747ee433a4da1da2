/** What doctor looks at, and what it found. */
import type { Config } from '../../config.ts'

export interface Finding {
  readonly what: string
  readonly state: 'ok' | 'warn' | 'fail'
  readonly text: string
  readonly fix?: string
}

type Told = Omit<Finding, 'what'>

export interface Check {
  readonly what: string
  readonly run: (config: Config) => Promise<readonly Told[]>
}

export const ok = (text: string): Told => ({ state: 'ok', text })
export const warn = (text: string, fix: string): Told => ({ state: 'warn', text, fix })
export const fail = (text: string, fix: string): Told => ({ state: 'fail', text, fix })

/** Drivers hide their reason in a cause or a code. */
export function reasonOf(error: unknown): string {
  const { message, code, cause } = error as NodeJS.ErrnoException & { cause?: unknown }
  return message || code || (cause === undefined ? 'no reason was given' : reasonOf(cause))
}
