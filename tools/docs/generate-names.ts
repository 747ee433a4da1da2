/** Writes docs/policy/names-<provider>.md from the catalogue: how each operation is called in each form. */
import { writeFileSync } from 'node:fs'
import { loadCatalogue } from '../../src/catalogue/index.ts'
import { PROVIDERS_DIR } from '../../src/layout.ts'

const catalogue = loadCatalogue(PROVIDERS_DIR)

for (const { name: provider, title, groups } of catalogue.providers) {
  const operations = catalogue.operations(provider)
  const short = (action: string): string => action.slice(provider.length + 1)
  const sections = groups.map(({ group, about }) => {
    const rows = operations
      .filter((operation) => operation.group === group)
      .sort((a, b) => (a.action < b.action ? -1 : a.action > b.action ? 1 : a.name < b.name ? -1 : 1))
      .map(({ name, aliases, action, resource, method, path }) => {
        const names = [name, ...aliases].map((each) => `\`${each}\``).join(', ')
        return `| \`${short(action)}\` | ${names} | \`${resource}\` | ${method} \`${path}\` |`
      })
    return `\n## ${group}\n\n${about}\n\n| action | operation | resource | route |\n|---|---|---|---|\n${rows.join('\n')}\n`
  })
  writeFileSync(
    new URL(`../../docs/policy/names-${provider}.md`, import.meta.url),
    `# Names: ${title}

<!-- Generated from schemas/providers by tools/docs/generate-names.ts. -->

One operation has three names, and this table is the whole mapping between them: ${operations.length} operations in ${groups.length} groups.

- the **operation**, as agents and \`input.operation\` call it, here with its aliases: \`retrieve_charge\`;
- the **action**, as grants, audit lines and \`input.action\` call it: \`${provider}:charges:read\`, within its service \`charges:read\`;
- the **resource**, as grants, audit lines and \`input.resource\` call it: \`${provider}.com/v1/charges\`.

A grant's \`actions\` may name an operation, an action in either form, or a whole group (the headings below); its \`resources\`
name resources. A list and a look-up share one action. \`*\` in any of them matches any run of characters; a name or a pattern
that matches nothing in this table is an error. See [project policies](project-policies.md).
${sections.join('')}`,
  )
}
