/** The operator's log. Neither a secret nor what an agent sent gets into it. */
import { type Logger, pino } from 'pino'

export const createLog = (level: string): Logger =>
  pino({
    level,
    base: null,
    redact: {
      paths: ['*.authorization', '*.credential', '*.secret', '*.vault_key', 'authorization', 'secret'],
      censor: '[redacted]',
    },
  })

/** Names and messages along the chain of causes. Never a body, never a header. */
export function faultOf(error: unknown): { fault: string } {
  const chain: string[] = []
  for (let at = error; at instanceof Error && chain.length < 4; at = at.cause) chain.push(`${at.name}: ${at.message}`)
  return { fault: chain.join(' < ') || 'unknown' }
}
