/** A part that failed, as opposed to a call that was refused. Thrown; the story turns it into the refusal that names the part. */
import type { RefusalCode } from './refusal.ts'

export class Fault extends Error {
  readonly code: RefusalCode
  constructor(code: RefusalCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'Fault'
    this.code = code
  }
}

/** The same port, whose every rejection is a fault of that part. A port is an object of functions. */
export function faultsAs<Port extends object>(code: RefusalCode, port: Port): Port {
  const guarded = Object.entries(port).map(([name, member]) => [name, guard(code, name, member)])
  return Object.fromEntries(guarded) as Port
}

const guard =
  (code: RefusalCode, name: string, member: (...input: unknown[]) => unknown) =>
  async (...input: unknown[]) => {
    try {
      return await member(...input)
    } catch (cause) {
      throw cause instanceof Fault ? cause : new Fault(code, `${name} failed`, cause)
    }
  }
