/** The policy in force: what is taken, what is refused, and that a bad policy never replaces a good one. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { DecisionInput } from '../../src/model/decision.ts'
import { Fault } from '../../src/model/fault.ts'
import { buildPolicy, explainPolicyRefusal, watchFolders } from '../../src/policy/index.ts'
import { folders, REFUND_RULE, type Reloaded, refund, storeOf } from './folders.ts'

const GOOD = { 'rego/tool_decision.rego': REFUND_RULE }
const PROJECT = 'project: p\nagents: [billing-1]\ngrants:\n  - service: stripe\n    actions: [create_refund]\n'

const BROKEN = [
  {
    name: 'a syntax error',
    files: { 'rego/tool_decision.rego': 'package tool_decision\n\nallow if {\n  input.provider = = "stripe"\n}\n' },
    problem: { code: 'syntax', row: 4 },
  },
  {
    name: 'the older dialect in a file that says it is of the newer one',
    files: { 'rego/tool_decision.rego': 'package tool_decision\nimport rego.v1\nallow { true }\n' },
    problem: { code: 'syntax', row: 3 },
  },
  {
    name: 'a builtin that does not run inside the gateway',
    files: {
      'rego/tool_decision.rego': 'package tool_decision\nallow if http.send({"url": "http://x"}).status == 200\n',
    },
    problem: { code: 'missing_builtin', row: 2 },
  },
  {
    name: 'a function that nobody defined',
    files: { 'rego/tool_decision.rego': 'package tool_decision\nallow if is_nice(input)\n' },
    problem: { code: 'missing_builtin', row: 2 },
  },
  {
    name: 'an evaluation that does not end',
    files: {
      'rego/tool_decision.rego':
        'package tool_decision\ndeny if { some i in numbers.range(1, 100000); some j in numbers.range(1, 100000); i * j < 0 }\n',
    },
    problem: { code: 'endless' },
  },
  {
    name: 'an obligation that nobody enforces',
    files: { 'rego/tool_decision.rego': 'package tool_decision\nallow if true\nobligations := {"fine": 1}\n' },
    problem: { code: 'wrong_shape' },
  },
  {
    name: 'two values for one rule',
    files: {
      'rego/tool_decision.rego':
        'package tool_decision\nallow if true\nobligations := {"tags": {"a": "1"}} if true\nobligations := {"tags": {"a": "2"}} if true\n',
    },
    problem: { code: 'evaluation' },
  },
  {
    name: 'rules of one name in two forms',
    files: { 'rego/tool_decision.rego': 'package tool_decision\ndeny if input.x\ndeny contains "y" if input.y\n' },
    problem: { code: 'two_forms' },
  },
  {
    name: 'a policy without the package of the operator',
    files: { 'rego/tool_decision.rego': 'package tool_decisions\nallow if true\n' },
    problem: { code: 'no_entry_point' },
  },
  {
    name: 'a file that adds to the library',
    files: { 'rego/more.rego': 'package countersign.key\nimport rego.v1\nfor_provider if true\n' },
    problem: { code: 'foreign_package' },
  },
  {
    name: 'data that is no object',
    files: { 'rego/data.json': '[1]' },
    problem: { code: 'bad_data' },
  },
  {
    name: 'data in the place of the project policies',
    files: { 'rego/data.json': '{"projects": {}}' },
    problem: { code: 'bad_data' },
  },
  {
    name: 'a project policy that cannot be read',
    files: { 'policies/p.yaml': `${PROJECT}    resorces: [x]\n` },
    problem: { code: 'project_policy', row: 6, col: 5 },
  },
  {
    name: 'two policies for one project',
    files: { 'policies/p.yaml': PROJECT, 'policies/q.yaml': PROJECT },
    problem: { code: 'project_policy' },
  },
] as const

/** The good policy, compiled once: most tests are about what comes after it. */
const preparedDir = await mkdtemp(join(tmpdir(), 'countersign-prepared-'))
beforeAll(async () => void (await buildPolicy(await folders(GOOD), { keepIn: preparedDir })))
afterAll(() => rm(preparedDir, { recursive: true }))

const started = async (at: Awaited<ReturnType<typeof folders>>) => storeOf({ ...at, preparedDir })

describe('a policy that cannot be taken is refused, says where and how to mend it, and changes nothing', () => {
  test.each(BROKEN)('$name', async ({ files, problem }) => {
    const at = await folders(GOOD)
    const store = await started(at)
    const before = store.current()
    for (const [path, content] of Object.entries(files)) await at.write(path, content)

    const reloaded = await store.reload()

    if (!('refused' in reloaded)) throw new Error('it was taken')
    expect(reloaded.problems[0]).toMatchObject(problem)
    expect(reloaded.problems[0]!.fix).not.toBe('')
    if ('row' in problem) expect(reloaded.problems[0]!.file).toBe(join(at.root, Object.keys(files)[0]!))
    expect(explainPolicyRefusal(reloaded)).toContain('fix: ')
    expect(store.current()).toBe(before)
    expect(store.current().decide(refund).decision).toBe('allow')
  })

  test('the library without its entry point', async () => {
    const at = await folders({ ...GOOD, 'library/other.rego': 'package countersign\n\nnot_the_decision := 1\n' })
    const built = await buildPolicy({ ...at, libraryDir: join(at.root, 'library') })
    expect(built).toMatchObject({ refused: true, problems: [{ code: 'no_entry_point' }] })
  })

  test.each([
    { name: 'a library that answers in another shape', rule: 'decision := {"allow": true}', code: 'wrong_shape' },
    { name: 'a library that is silent on some calls', rule: 'decision := 1 if input.nothing', code: 'wrong_shape' },
  ])('$name', async ({ rule, code }) => {
    const at = await folders({ ...GOOD, 'library/decision.rego': `package countersign\nimport rego.v1\n${rule}\n` })
    const built = await buildPolicy({ ...at, libraryDir: join(at.root, 'library') })
    expect(built).toMatchObject({ refused: true, problems: [{ code }] })
  })

  test('the folder of project policies may not vanish, or their denial by default would go with it', async () => {
    const at = await folders({ ...GOOD, 'policies/p.yaml': PROJECT })
    const store = await started(at)
    await at.remove('policies')
    expect(await store.reload()).toMatchObject({ refused: true, problems: [{ code: 'unreadable' }] })
  })
})

describe('at the first start', () => {
  test('no policy is fatal, and says what to do', async () => {
    const at = await folders({})
    await expect(storeOf(at)).rejects.toThrow(/countersign init/)
  })

  test('a broken policy is fatal, and says where', async () => {
    const at = await folders({ 'rego/tool_decision.rego': 'package tool_decision\nallow {' })
    await expect(storeOf(at)).rejects.toThrow(/tool_decision\.rego:2/)
  })
})

describe('a revision', () => {
  test('is swapped in by a reload, and named by every decision', async () => {
    const at = await folders(GOOD)
    const store = await started(at)
    const first = store.current()
    await at.write('rego/tool_decision.rego', REFUND_RULE.replace('5000', '100'))

    const reloaded = await store.reload()

    expect(reloaded).toEqual({ changed: true, revision: store.current().revision })
    expect(store.current().revision).not.toBe(first.revision)
    expect(store.current().decide(refund)).toMatchObject({
      decision: 'deny',
      policy_revision: store.current().revision,
    })
    expect(first.decide(refund)).toMatchObject({ decision: 'allow', policy_revision: first.revision })
  })

  test('is the same for the same files, wherever they lie', async () => {
    const [one, other] = [await folders(GOOD), await folders(GOOD)]
    const built = [await buildPolicy(one), await buildPolicy(other)]
    expect(built[0]).toMatchObject({ revision: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) })
    expect(built[1]).toEqual(built[0])
  })

  test.each([
    { name: 'a comment', path: 'rego/tool_decision.rego', content: `${REFUND_RULE}# a comment\n` },
    { name: 'a data file', path: 'rego/data.yaml', content: 'rates:\n  usd: 1\n' },
    { name: 'a project policy', path: 'policies/p.yaml', content: PROJECT },
  ])('changes with $name', async ({ path, content }) => {
    const at = await folders(GOOD)
    const store = await started(at)
    const { revision } = store.current()
    await at.write(path, content)
    expect(await store.reload()).toMatchObject({ changed: true })
    expect(store.current().revision).not.toBe(revision)
  })

  test('does not change with a test of the policy', async () => {
    const at = await folders(GOOD)
    const store = await started(at)
    await at.write('rego/mine_test.rego', 'package mine_test\ntest_nothing { true }\n')
    expect(await store.reload()).toEqual({ changed: false, revision: store.current().revision })
  })

  test('may read the operator’s own data', async () => {
    const at = await folders({
      'rego/tool_decision.rego': 'package tool_decision\nallow { data.limits.refund >= input.amount.value }\n',
      'rego/limits/data.yaml': 'refund: 500\n',
    })
    const store = await started(at)
    expect(store.current().decide(refund).decision).toBe('allow')
    await at.write('rego/limits/data.yaml', 'refund: 499\n')
    await store.reload()
    expect(store.current().decide(refund).decision).toBe('deny')
  })
})

describe('the cache', () => {
  test('spares a later start the compiler', async () => {
    const at = await folders(GOOD)
    await storeOf(at)
    const [kept] = await readdir(at.cacheDir)
    const before = await readFile(join(at.cacheDir, kept!))
    const again = await storeOf(at)
    expect(await readdir(at.cacheDir)).toEqual([kept])
    expect(await readFile(join(at.cacheDir, kept!))).toEqual(before)
    expect(again.current().decide(refund).decision).toBe('allow')
  })

  test('is not believed when its bytes are not those that were kept', async () => {
    const at = await folders(GOOD)
    await storeOf(at)
    const [kept] = await readdir(at.cacheDir)
    const path = join(at.cacheDir, kept!)
    const bytes = await readFile(path)
    await writeFile(path, bytes.subarray(0, bytes.length - 1))
    const again = await storeOf(at)
    expect(again.current().decide(refund).decision).toBe('allow')
    expect(await readFile(path)).toEqual(bytes)
  })

  test('may come with the package, so that not even the first start compiles', async () => {
    const at = await folders(GOOD)
    const prepared = join(at.root, 'prepared')
    await buildPolicy(at, { keepIn: prepared })
    await storeOf({ ...at, preparedDir: prepared })
    await expect(readdir(at.cacheDir)).rejects.toThrow('ENOENT')
  })
})

describe('watching', () => {
  /** Tells of every reload that a change of the folders asks for. */
  async function watched(files: Readonly<Record<string, string>>) {
    const at = await folders(files)
    const store = await started(at)
    const told: Reloaded[] = []
    const stop = watchFolders([at.policyDir, at.projectsDir], async () => void told.push(await store.reload()))
    onTestFinished(stop)
    const next = (is: object) => expect.poll(() => told.at(-1), { timeout: 20_000, interval: 50 }).toMatchObject(is)
    return { at, store, told, stop, next }
  }

  test('a changed file is in force soon after, and a broken one is told of', async () => {
    const { at, store, next } = await watched({ ...GOOD, 'policies/p.yaml': PROJECT })

    await at.write('rego/tool_decision.rego', REFUND_RULE.replace('5000', '100'))
    await next({ revision: expect.anything() })
    expect(store.current().decide(refund).decision).toBe('deny')

    await at.write('policies/p.yaml', 'project: [')
    await next({ refused: true })
    expect(store.current().decide({ ...refund, project: 'p' }).decision).toBe('allow')
  })

  test('tells of nothing once it was stopped', async () => {
    const { at, told, stop } = await watched(GOOD)
    stop()
    await at.write('rego/tool_decision.rego', 'package tool_decision\nallow {')
    await wait(1_500)
    expect(told).toEqual([])
  })
})

describe('a decision that cannot be made is a fault', () => {
  test('an input that is too large', async () => {
    const store = await started(await folders(GOOD))
    const large = { ...refund, params: { text: 'x'.repeat(2_000_000) } }
    expect(() => store.current().decide(large)).toThrow(Fault)
    expect(store.current().decide(refund).decision).toBe('allow')
  })

  test('a rule that gives two values for this very call', async () => {
    const store = await storeOf(
      await folders({
        'rego/tool_decision.rego': `${REFUND_RULE}
obligations = {"tags": {"a": "1"}} { input.params.memo }
obligations = {"tags": {"a": "2"}} { input.params.memo }
`,
      }),
    )
    const odd: DecisionInput = { ...refund, params: { amount: 1, memo: 'x' } }
    expect(() => store.current().decide(odd)).toThrow(/could not be evaluated/)
    expect(store.current().decide(refund).decision).toBe('allow')
  })

  test('an obligation of the wrong shape for this very call', async () => {
    const store = await storeOf(
      await folders({
        'rego/tool_decision.rego': `${REFUND_RULE}\nobligations = {"redact": input.params.memo} { input.params.memo }\n`,
      }),
    )
    const odd: DecisionInput = { ...refund, params: { amount: 1, memo: 'x' } }
    expect(() => store.current().decide(odd)).toThrow(/not a decision: obligations\.redact/)
  })

  test('an evaluation that wants more memory than there is; what it took is given back', async () => {
    const store = await storeOf(
      await folders({
        'rego/tool_decision.rego': `package tool_decision
allow { input.params.amount > 0 }
deny contains "never" if { input.params.memo == "greedy"; text_of(input.params.amount) == "" }
text_of(n) := concat("", [t | some i in numbers.range(1, n); t := concat("", ["${'x'.repeat(200)}", format_int(i, 10)])])
`,
      }),
    )
    const greedy: DecisionInput = { ...refund, params: { amount: 1_500_000, memo: 'greedy' } }
    expect(() => store.current().decide(greedy)).toThrow(Fault)
    const modest: DecisionInput = { ...refund, params: { amount: 100, memo: 'greedy' } }
    expect(store.current().decide(modest).decision).toBe('allow')
  })
})

test('many projects, one at a time, each by its own policy', async () => {
  const names = Array.from({ length: 200 }, (_, index) => `project-${index}`)
  const at = await folders({
    ...GOOD,
    ...Object.fromEntries(
      names.map((name, index) => [
        `policies/${name}.yaml`,
        PROJECT.replace('project: p', `project: ${name}`).replace(
          'create_refund',
          index % 2 ? 'create_refund' : 'other',
        ),
      ]),
    ),
  })
  const policy = (await started(at)).current()
  for (const round of [1, 2])
    for (const [index, project] of names.entries())
      expect([round, project, policy.decide({ ...refund, project }).decision]).toEqual([
        round,
        project,
        index % 2 ? 'allow' : 'deny',
      ])
})
