/** What the gateway judges by: the catalogue, the policy, the project policies. */
import { existsSync, readdirSync } from 'node:fs'
import { loadCatalogue } from '../../catalogue/index.ts'
import { POLICY_LIBRARY_DIR, PROVIDERS_DIR } from '../../layout.ts'
import { buildPolicy, isPolicyRefusal, type PolicyProblem } from '../../policy/index.ts'
import { type Check, fail, ok, reasonOf, warn } from './check.ts'

export const checkPolicy: readonly Check[] = [
  {
    what: 'catalogue',
    run: async () => {
      try {
        const { providers, operations } = loadCatalogue(PROVIDERS_DIR)
        return providers.map(({ name, api_version }) =>
          ok(`${name} ${api_version}: ${operations(name).length} operations`),
        )
      } catch (error) {
        return [
          fail(`It cannot be loaded: ${reasonOf(error)}.`, 'Install Countersign again: the catalogue is part of it.'),
        ]
      }
    },
  },
  {
    what: 'policy',
    run: async ({ policy_dir, projects_dir, policy_is_own }) => {
      const folders = { policyDir: policy_dir, projectsDir: projects_dir, libraryDir: POLICY_LIBRARY_DIR }
      const built = await buildPolicy(folders)
      if (isPolicyRefusal(built)) return built.problems.map((problem) => fail(placed(problem), problem.fix))
      return [
        policy_is_own
          ? ok(`${policy_dir} compiles: ${built.revision}`)
          : warn(
              `There is no ./rego: the packaged starter policy is in force, which allows reads only.`,
              'Write your own with `countersign init`.',
            ),
        ...built.warnings.map((problem) => warn(placed(problem), problem.fix)),
      ]
    },
  },
  {
    what: 'project policies',
    run: async ({ projects_dir }) => {
      const files = existsSync(projects_dir)
        ? readdirSync(projects_dir).filter((name) => /^[^.].*\.ya?ml$/.test(name))
        : []
      return [
        ok(
          files.length > 0
            ? `${projects_dir}: ${files.length}`
            : `none in ${projects_dir}: operation groups give the defaults (reads allowed, writes denied)`,
        ),
      ]
    },
  },
]

const placed = ({ file, row, col, message }: PolicyProblem): string =>
  [[file, row, col].filter((part) => part !== undefined).join(':'), message].filter(Boolean).join(': ')
