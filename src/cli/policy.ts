import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { readConfig } from '../config.ts'
import { POLICY_LIBRARY_DIR } from '../layout.ts'
import { buildPolicy, explainPolicyRefusal, isPolicyRefusal } from '../policy/index.ts'
import { note, print, waiting } from './output.ts'

const build = new Command('build')
  .description('compile and check the policy and the project policies, as the gateway would at start')
  .option('--dir <folder>', 'folder of tool_decision.rego (default: COUNTERSIGN_POLICY_DIR, else rego)')
  .option('--projects <folder>', 'folder of project policies (default: COUNTERSIGN_PROJECTS_DIR, else policies)')
  .option('--out <file>', 'write the compiled policy here')
  .action(async ({ dir, projects, out }: { dir?: string; projects?: string; out?: string }) => {
    const env = { ...process.env, ...(dir && { COUNTERSIGN_POLICY_DIR: dir }) }
    const config = readConfig({ ...env, ...(projects && { COUNTERSIGN_PROJECTS_DIR: projects }) }, process.cwd())
    if (!config.policy_is_own) note('there is no ./rego: this is the packaged starter policy')
    const folders = { policyDir: config.policy_dir, projectsDir: config.projects_dir, libraryDir: POLICY_LIBRARY_DIR }
    const built = await waiting('compiling', buildPolicy(folders))
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

export const policyCommand = new Command('policy').description('check and compile the policy')
policyCommand.addCommand(build)
