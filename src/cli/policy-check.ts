import { Command, Option } from 'commander'
import {
  buildPolicy,
  checkRego,
  explainPolicyRefusal,
  isPolicyRefusal,
  type PolicyProblem,
  readPolicy,
} from '../policy/index.ts'
import { note, print, waiting } from './output.ts'
import { catalogue } from './policy-catalogue.ts'
import { checkProblem } from './policy-check-problems.ts'
import { warningsOf } from './policy-check-warnings.ts'
import { type FolderOptions, type Folders, foldersOf, withFolders } from './policy-folders.ts'
import { inputSchema } from './policy-schemas.ts'

interface Checked {
  readonly errors: readonly PolicyProblem[]
  readonly warnings: readonly PolicyProblem[]
}

export const policyCheckCommand = withFolders(new Command('check'))
  .description('find mistakes in Rego and project policies: misspelt fields, unused names, rules that never fire')
  .addOption(new Option('--format <format>', 'how to tell').choices(['text', 'json']).default('text'))
  .action(async ({ format, ...options }: FolderOptions & { format: 'text' | 'json' }) => {
    const checked = await waiting('checking', checkPolicy(foldersOf(options)))
    if (format === 'json') print(JSON.stringify(checked, null, 2))
    else tell(checked)
    if (checked.errors.length > 0) process.exitCode = 1
  })
  .addHelpText(
    'after',
    `
Checks strictly, and each field of input against schemas/decision-input.json: input.agent.rolle is an error that names
the field that was meant. input.params is open, because every operation has its own. Then compiles and tries the policy
as the gateway would. Warnings are told and fail nothing.

Exits with 1 where something must be corrected, each with file:line:column, what, why and the fix.

Examples:
  $ countersign policy check
  $ countersign policy check --dir rego --projects policies --format json`,
  )

async function checkPolicy(folders: Folders): Promise<Checked> {
  const { policyDir, libraryDir } = folders
  const sources = await readPolicy({ policyDir, libraryDir })
  if (isPolicyRefusal(sources)) return { errors: sources.problems, warnings: [] }
  const { modules, tests, pathOf } = sources
  const schema = inputSchema()
  const rules = await checkRego(modules, schema)
  const all = rules.ok && tests.length > 0 ? await checkRego([...modules, ...tests], schema) : rules
  // Tests may call every builtin of OPA; only the policy is held to those that run in the gateway.
  const found = all.ok ? [] : all.errors.filter((error) => !rules.ok || !isForeignBuiltin(error.message))
  const errors = found.map((error) => checkProblem(error, schema, pathOf))
  const projects = await readPolicy(folders)
  if (isPolicyRefusal(projects)) errors.push(...projects.problems)
  const warnings = warningsOf(sources, catalogue())
  if (errors.length > 0) return { errors, warnings }

  const built = await buildPolicy(folders)
  return isPolicyRefusal(built)
    ? { errors: built.problems, warnings }
    : { errors, warnings: [...warnings, ...built.warnings] }
}

const isForeignBuiltin = (message: string): boolean => message.startsWith('undefined function')

function tell({ errors, warnings }: Checked): void {
  for (const problem of errors) print(explainPolicyRefusal({ refused: true, problems: [problem] }))
  for (const problem of warnings) print(`warning: ${explainPolicyRefusal({ refused: true, problems: [problem] })}`)
  note(`${errors.length} to correct, ${warnings.length} warnings`)
}
