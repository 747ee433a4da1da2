/** The same fields less those that are undefined: an absent fact is absent, on the wire and in the type. */

type Defined<Fields> = {
  [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name]
} & {
  [Name in keyof Fields as undefined extends Fields[Name] ? Name : never]?: Exclude<Fields[Name], undefined>
}

/** On the path of every call many times, hence a plain loop. */
export function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  const kept: Record<string, unknown> = {}
  for (const name of Object.keys(fields)) {
    const field = (fields as Record<string, unknown>)[name]
    if (field !== undefined) kept[name] = field
  }
  return kept as Defined<Fields>
}
