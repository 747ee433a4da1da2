/** The second laid over the first, maps by field. A null takes a field out only at the end: see `withoutNulls`. */
export function over(base: unknown, change: unknown): unknown {
  if (!isMap(base) || !isMap(change)) return change
  const names = [...new Set([...Object.keys(base), ...Object.keys(change)])]
  return Object.fromEntries(
    names.map((name) => [name, Object.hasOwn(change, name) ? over(base[name], change[name]) : base[name]]),
  )
}

/** Nulls inside params stay: providers know them as values. */
export function withoutNulls(value: unknown): unknown {
  if (!isMap(value)) return value
  const kept = Object.entries(value).filter(([, field]) => field !== null)
  return Object.fromEntries(kept.map(([name, field]) => [name, name === 'params' ? field : withoutNulls(field)]))
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
