import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { buildPolicy, explainPolicyRefusal, isPolicyRefusal } from '../policy/index.ts'
import { note, print, waiting } from './output.ts'
import { type FolderOptions, foldersOf, withFolders } from './policy-folders.ts'

export const policyBuildCommand = withFolders(new Command('build'))
  .description('compile and check the policy and the project policies, as the gateway would at start')
  .option('--out <file>', 'write the compiled policy here')
  .action(async ({ out, ...options }: FolderOptions & { out?: string }) => {
    const built = await waiting('compiling', buildPolicy(foldersOf(options)))
    if (isPolicyRefusal(built)) {
      note(explainPolicyRefusal(built))
      process.exitCode = 1
      return
    }
    if (built.warnings.length > 0) note(explainPolicyRefusal({ refused: true, problems: built.warnings }))
    if (out !== undefined) {
      writeFileSync(out, built.wasm)
      note(`wrote ${resolve(out)} (${built.wasm.length} bytes)`)
    }
    print(built.revision)
  })
  .addHelpText(
    'after',
    `
Prints the revision: a digest of everything that decides. Exits with 1 and says file:line, what, why and the fix where
the policy cannot be taken.

Examples:
  $ countersign policy build
  $ countersign policy build --dir rego --out policy.wasm`,
  )
