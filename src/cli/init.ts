import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Command } from 'commander'
import { starterFiles } from './init-files.ts'
import { CliError, print } from './output.ts'
import { policyRepoFiles } from './policy-repo-files.ts'

export const initCommand = new Command('init')
  .description('write a starter policy, a place for project policies, and countersign.yaml into this folder')
  .option('--policy-repo', 'write a policy repository instead: rules, a project policy, cases, a CI workflow')
  .option('--force', 'overwrite what is there')
  .action(({ force, policyRepo }: { force?: true; policyRepo?: true }) => {
    const files = policyRepo ? policyRepoFiles() : starterFiles()
    const there = files.map(({ path }) => path).filter((path) => existsSync(path))
    if (there.length > 0 && !force)
      throw new CliError(
        `Here is ${there.join(', ')} already, and nothing was written.`,
        'Go to an empty folder, or overwrite with --force.',
      )
    for (const { path, content } of files) {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
      print(`wrote ${path}`)
    }
    print(policyRepo ? NEXT_IN_REPO : NEXT)
  })
  .addHelpText(
    'after',
    `
Examples:
  $ mkdir gateway && cd gateway && countersign init
  $ mkdir agent-policy && cd agent-policy && countersign init --policy-repo`,
  )

const NEXT = `
Next:
  1. COUNTERSIGN_SANDBOX=1 countersign serve      a gateway over a sandbox (keep .countersign/, its secrets, out of git)
  2. countersign keys create --agent me           in another terminal here; export COUNTERSIGN_VAULT_KEY=cs_…
  3. countersign call stripe list_customers       allowed; writes are denied until rego/tool_decision.rego allows them`

const NEXT_IN_REPO = `
Next:
  1. npm install                                  and commit package-lock.json: the CI workflow installs from it
  2. npx countersign policy test                  every case, by the compiled policy and by OPA's own evaluator
  3. npx countersign policy test --watch          while you write cases in cases/ and rules in rego/`
