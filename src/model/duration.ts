/** `90s`, `15m`, `1h`, `7d`, `250ms`. */
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds; throws a plain sentence for anything else. */
export function milliseconds(duration: string): number {
  const [, count, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(duration) ?? []
  if (!count || !unit) throw new Error(`${JSON.stringify(duration)} is not a duration such as 90s, 15m, 1h or 7d`)
  return Number(count) * UNIT_MS[unit]!
}
