/** From the description's response schemas: which objects hold which, so that `expand` follows nothing else. */

export interface ResponseSchema {
  readonly $ref?: string
  readonly anyOf?: readonly ResponseSchema[]
  readonly properties?: Record<string, ResponseSchema>
  readonly items?: ResponseSchema
  /** Present on fields that hold an id until they are expanded. */
  readonly 'x-expansionResources'?: unknown
}

export type Components = Readonly<Record<string, ResponseSchema>>
export type ExpandGraph = Record<string, Record<string, string[]>>

/** The components that a field may be; `[]charge` is a page of charges, whose objects are under `data`. */
export function targets(schema: ResponseSchema, components: Components): string[] {
  if (schema.$ref) {
    const name = schema.$ref.slice('#/components/schemas/'.length)
    const component = components[name]!
    return component.anyOf ? targets(component, components) : [name]
  }
  if (schema.anyOf) return [...new Set(schema.anyOf.flatMap((each) => targets(each, components)))].sort()
  const items = schema.properties?.data?.items
  return items ? targets(items, components).map((target) => `[]${target}`) : []
}

/** Component → field → components, for every field that expands or leads to one that does. */
export function expandGraph(components: Components): ExpandGraph {
  const expands = new Set<string>()
  const edges: { name: string; field: string; to: string[]; isExpandable: boolean }[] = []
  for (const [name, { properties = {} }] of Object.entries(components)) {
    for (const [field, schema] of Object.entries(properties)) {
      const to = targets(schema, components)
      const isExpandable = 'x-expansionResources' in schema || to.some((target) => target.startsWith('[]'))
      if (to.length) edges.push({ name, field, to, isExpandable })
    }
  }
  for (let before = -1; before !== expands.size; ) {
    before = expands.size
    for (const { name, to, isExpandable } of edges) {
      if (isExpandable || to.some((target) => expands.has(target))) expands.add(name)
    }
  }
  const graph: ExpandGraph = {}
  for (const { name, field, to, isExpandable } of edges) {
    if (!isExpandable && !to.some((target) => expands.has(target))) continue
    graph[name] ??= {}
    graph[name][field] = to
  }
  return Object.fromEntries(
    Object.entries(graph)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, fields]) => [name, Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)))]),
  )
}
