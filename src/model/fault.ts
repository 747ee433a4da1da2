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

/** The same port, whose every rejection is a fault of that part. */
export function faultsAs<Port extends object>(code: RefusalCode, port: Port): Port {
  return new Proxy(port, {
    get(target, name) {
      const member = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return async (...input: unknown[]) => {
        try {
          return await member.apply(target, input)
        } catch (cause) {
          throw cause instanceof Fault ? cause : new Fault(code, `${String(name)} failed`, cause)
        }
      }
    },
  })
}
