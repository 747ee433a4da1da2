import { writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { explainPolicyRefusal, isPolicyRefusal, watchFolders } from '../policy/index.ts'
import { CliError, note, print, waiting } from './output.ts'
import { caseFiles, caseFolders } from './policy-case-files.ts'
import { type FolderOptions, type Folders, foldersOf, withFolders } from './policy-folders.ts'
import { REPORTS, type ReportFormat, thinlyCovered, totalsOf } from './policy-test-report.ts'
import { runPolicyTests } from './policy-test-run.ts'

const EXIT = { passed: 0, failed: 1, unreadable: 2 } as const

interface Options extends FolderOptions {
  readonly cases?: readonly string[]
  readonly run?: string
  readonly coverage?: true
  readonly threshold?: number
  readonly format: ReportFormat
  readonly out?: string
  readonly watch?: true
}

function percentOf(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value <= 100) return value
  throw new InvalidArgumentError('Write a percentage from 0 to 100.')
}

export const policyTestCommand = withFolders(new Command('test'))
  .description('run the test_ rules and the case tables of a policy')
  .option('--cases <path...>', "YAML case tables: files, folders, or patterns as 'cases/**/*.yaml' (default: cases)")
  .option('--run <regex>', 'only tests and cases whose names match')
  .option('--coverage', 'tell which lines of your Rego no test and no case reached')
  .option('--threshold <percent>', 'fail where a file is covered less; implies --coverage', percentOf)
  .addOption(new Option('--format <format>', 'how to tell').choices(Object.keys(REPORTS)).default('pretty'))
  .option('--out <file>', 'write the report to a file, and tell people on the terminal as well')
  .option('--watch', 'run again whenever the policy or a case changes; Ctrl-C ends')
  .action(async (options: Options) => {
    if (options.run !== undefined && (options.coverage || options.threshold !== undefined))
      throw new CliError('--run and --coverage do not go together.', 'Measure coverage over all tests, without --run.')
    const folders = foldersOf(options)
    if (!options.watch) {
      process.exitCode = await testOnce(folders, options)
      return
    }
    const again = async () => {
      try {
        await testOnce(folders, options)
      } catch (error) {
        if (!(error instanceof CliError)) throw error
        note(error.message)
      }
      note(`\nwatching ${watched(folders, options).join(', ')}; Ctrl-C ends`)
    }
    await again()
    watchFolders(watched(folders, options), again)
    // What watches does not keep a process alive.
    setInterval(() => {}, 2 ** 30)
  })
  .addHelpText(
    'after',
    `
Every case is decided twice, by the compiled policy as the gateway runs it and by OPA's own evaluator; a difference
fails it. schemas/policy-cases.json says what a case may hold.

Exits with 0 where everything passed, 1 where a test failed or a file is covered less than the threshold, 2 where the
policy or a case table cannot be read or compiled.

Examples:
  $ countersign policy test
  $ countersign policy test --run refund --watch
  $ countersign policy test --coverage --threshold 80
  $ countersign policy test --format junit --out policy-tests.xml`,
  )

const watched = (folders: Folders, { cases }: Options): string[] => [
  folders.policyDir,
  folders.projectsDir,
  ...(cases ?? caseFolders(folders)).map((path) => path.replace(/[^/]*\*.*$/, '') || '.'),
]

async function testOnce(folders: Folders, options: Options): Promise<number> {
  const { format, out, threshold, run } = options
  const coverage = options.coverage === true || threshold !== undefined
  const cases = caseFiles(options.cases ?? caseFolders(folders))
  const tested = await waiting(
    'testing',
    runPolicyTests(folders, { cases, coverage, ...(run !== undefined && { run }) }),
  )
  if (isPolicyRefusal(tested)) {
    note(explainPolicyRefusal(tested))
    return EXIT.unreadable
  }
  // Whoever sends the report to a file still wants to read why it failed.
  print(REPORTS[out === undefined ? format : 'pretty'](tested))
  if (out !== undefined) writeFileSync(out, `${REPORTS[format](tested)}\n`)
  const { failed } = totalsOf(tested)
  if (tested.tests.length === 0)
    note(run === undefined ? 'there are no tests: write cases/*.yaml or *_test.rego' : `no test has a name like ${run}`)
  const thin = threshold === undefined ? [] : thinlyCovered(tested, threshold)
  if (thin.length > 0) note(`covered less than ${threshold} %: ${thin.join(', ')}`)
  return failed > 0 || thin.length > 0 || tested.tests.length === 0 ? EXIT.failed : EXIT.passed
}
