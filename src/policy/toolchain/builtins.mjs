// The builtins that compiled policies import from their host, beside `sprintf`, which opa-wasm brings. Plain JavaScript,
// because the trial runs it as it lies on the disk. `tools/opa-wasi/builtins.txt` lists them for the compiler.
// A builtin that answers undefined is undefined in Rego, as OPA's own are on a bad argument.

const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map()

/**
 * The wall clock at a time: nanoseconds since 1970 (to the millisecond: a double holds no more), or a pair with a zone.
 * @returns {Date | undefined} a date whose UTC fields are the wall clock's
 */
function wallClock(at) {
  const [ns, zone] = Array.isArray(at) ? at : [at, 'UTC']
  const time = new Date(Math.floor(ns / 1e6))
  if (Number.isNaN(time.getTime())) return undefined
  if (zone === '' || zone === 'UTC') return time
  if (zone === 'Local') return undefined
  try {
    if (!formats.has(zone)) {
      const fields = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' }
      formats.set(
        zone,
        new Intl.DateTimeFormat('en-US', { ...fields, second: '2-digit', hourCycle: 'h23', timeZone: zone }),
      )
    }
    const part = Object.fromEntries(
      formats
        .get(zone)
        .formatToParts(time)
        .map(({ type, value }) => [type, value]),
    )
    return new Date(`${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}Z`)
  } catch {
    return undefined
  }
}

export const builtins = {
  'time.parse_rfc3339_ns': (text) => {
    const ms = typeof text === 'string' && RFC3339.test(text) ? Date.parse(text) : Number.NaN
    return Number.isNaN(ms) ? undefined : ms * 1e6
  },
  'time.date': (at) => {
    const clock = wallClock(at)
    return clock && [clock.getUTCFullYear(), clock.getUTCMonth() + 1, clock.getUTCDate()]
  },
  'time.clock': (at) => {
    const clock = wallClock(at)
    return clock && [clock.getUTCHours(), clock.getUTCMinutes(), clock.getUTCSeconds()]
  },
  'time.weekday': (at) => {
    const clock = wallClock(at)
    return clock && WEEKDAYS[clock.getUTCDay()]
  },
}
