/** The reference pages name what the code reads, all of it and nothing else, with the defaults and numbers that it has. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { type Config, readConfig } from '../../src/config.ts'
import { blocksOf, ROOT } from './console.ts'
import { bare, rowsUnder } from './tables.ts'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
// biome-ignore lint/suspicious/noExplicitAny: JSON Schemas, walked by their own keywords
type Schema = any
const schema = (name: string): Schema => JSON.parse(read(`schemas/${name}.json`))

/** `budgets[].scope`: every field that the schema names, at any depth. A field of objects is there by its own fields. */
function fieldsOf(node: Schema, whole: Schema, path = ''): readonly string[] {
  const ref = node.$ref?.startsWith('#/') && node.$ref.slice(2).split('/')
  const target = ref ? ref.reduce((at: Schema, name: string) => at[name], whole) : node
  const under = (child: Schema, name: string) => fieldsOf(child, whole, name)
  if (target.type === 'array') return under(target.items ?? {}, `${path}[]`)
  const dot = path === '' ? '' : `${path}.`
  const named = Object.entries(target.properties ?? {}).flatMap(([name, child]) => under(child, `${dot}${name}`))
  const any = target.additionalProperties
  const open = typeof any === 'object' && any.properties ? under(any, `${dot}*`) : []
  return named.length + open.length > 0 ? [...named, ...open] : [path]
}

describe('docs/reference/configuration.md', () => {
  const page = read('docs/reference/configuration.md')
  const gateway = rowsUnder(page, '## Environment of the gateway')
  const file = rowsUnder(page, '## countersign.yaml')

  it('names the variables that the gateway reads', () => {
    const source = read('src/config.ts')
    const named = [...source.matchAll(/(?:given|port)\('([A-Z_]+)'|env\.([A-Z_]+)/g)].map(([, a, b]) => a ?? b!)
    const providers = [.../PROVIDERS = \[(.*)\]/.exec(source)![1]!.matchAll(/'(\w+)'/g)].map(([, name]) => name!)
    const own = [...source.matchAll(/\$\{name\.toUpperCase\(\)\}(_[A-Z_]+)`/g)].map(([, suffix]) => suffix!)
    const ofProviders = providers.flatMap((name) => own.map((suffix) => `${name.toUpperCase()}${suffix}`))
    expect(gateway.map(([variable]) => bare(variable!)).sort()).toEqual([...new Set([...named, ...ofProviders])].sort())
  })

  it('names the variables that clients read', () => {
    const sources = [...filesOf('src/cli'), ...filesOf('sdk/typescript/src')].map(read).join('\n')
    const named = new Set([...sources.matchAll(/(?:env|environment)\.(COUNTERSIGN_[A-Z_]+)/g)].map(([, name]) => name!))
    const clients = rowsUnder(page, '## Environment of clients').map(([variable]) => bare(variable!))
    const both = [...gateway.map(([variable]) => bare(variable!)), ...clients]
    expect([...named].filter((name) => !both.includes(name))).toEqual([])
    expect(clients.filter((name) => !named.has(name))).toEqual([])
  })

  it('names the fields of countersign.yaml', () => {
    const config = schema('config')
    // A field that holds others may have a row of its own, to say what they are for.
    const fields = new Set(fieldsOf(config, config))
    const groups = [...fields].flatMap((field) => field.split('.').map((_, at, all) => all.slice(0, at).join('.')))
    const written = file.map(([field]) => bare(field!))
    expect(written.filter((field) => !fields.has(field) && !groups.includes(field))).toEqual([])
    expect([...fields].filter((field) => !written.includes(field))).toEqual([])
  })

  it('gives the defaults that an empty folder and an empty environment have', () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-docs-defaults-'))
    const config = readConfig({}, folder)
    rmSync(folder, { recursive: true })
    const told = Object.fromEntries([...gateway, ...file].map(([name, value]) => [bare(name!), bare(value!)]))
    const here = (path: string) => relative(folder, path)
    const seconds = (ms: number) => `${ms / 1_000}s`
    const expected: Readonly<Record<string, string>> = {
      COUNTERSIGN_HOST: config.host,
      COUNTERSIGN_PORT: String(config.port),
      COUNTERSIGN_ADMIN_PORT: String(config.admin_port),
      COUNTERSIGN_DATA_DIR: here(config.data_dir),
      COUNTERSIGN_PROJECTS_DIR: here(config.projects_dir),
      COUNTERSIGN_SANDBOX: config.sandbox ? '1' : 'off',
      COUNTERSIGN_LOG_LEVEL: config.log_level,
      log_level: config.log_level,
      'repeat.mode': config.repeat.mode,
      'repeat.window': `${config.repeat.window_s / 3_600}h`,
      'upstreams.*.deadline': seconds(config.providers.stripe!.deadline_ms),
      'recovery.every': seconds(config.recovery.every_ms),
      'recovery.gateway_silent': seconds(config.recovery.silent_ms),
      'recovery.reservation_unclaimed': seconds(config.recovery.unclaimed_ms),
      decision_audit: config.decision_audit,
      'budgets[].alerts[]': /DEFAULT_ALERTS = \[(.*)\]/.exec(read('src/spend/lines.ts'))![1]!,
    }
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, told[name]]))).toEqual(expected)
    for (const name of ['admin_token', 'master_key', 'database_url', 'redis_url'] as const satisfies (keyof Config)[])
      expect(config[name]).toBeUndefined()
  })
})

describe('docs/reference/vault-keys.md', () => {
  const page = read('docs/reference/vault-keys.md')

  it('names the fields of the schema', () => {
    const key = schema('vault-key')
    const written = rowsUnder(page, '## Fields').map(([field]) => bare(field!))
    const fields = fieldsOf(key, key)
    expect(written.sort()).toEqual([...fields].sort())
  })
})

describe('an example in a page', () => {
  it('is a countersign.yaml that the gateway takes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-docs-example-'))
    const examples = blocksOf(read('docs/operators.md')).filter(({ language }) => language === 'yaml')
    expect(examples).not.toEqual([])
    for (const { text } of examples) {
      writeFileSync(join(folder, 'countersign.yaml'), text)
      expect(readConfig({}, folder).budgets).not.toEqual([])
    }
    rmSync(folder, { recursive: true })
  })

  it('is a vault key that the gateway makes', () => {
    const ajv = formats.default(new Ajv2020({ strict: false })).addSchema(schema('config'))
    const valid = ajv.compile(schema('vault-key'))
    const [example] = blocksOf(read('docs/reference/vault-keys.md')).filter(({ language }) => language === 'json')
    valid(JSON.parse(example!.text))
    expect(valid.errors).toBeNull()
  })
})

describe('docs/auditor.md', () => {
  const page = read('docs/auditor.md')
  const source = read('src/model/event.ts')

  it('names the fields of a row', () => {
    const fields = [
      ...source
        .split('interface AuditEvent')[1]!
        .split('\n}')[0]!
        .matchAll(/readonly (\w+)\??:/g),
    ]
    expect(
      rowsUnder(page, '## The fields of a row')
        .map(([field]) => bare(field!))
        .sort(),
    ).toEqual(fields.map(([, name]) => name!).sort())
  })

  it('names the kinds of row', () => {
    const kinds = [
      ...source
        .split('EVENT_KINDS = [')[1]!
        .split(']')[0]!
        .matchAll(/'(\w+)'/g),
    ].map(([, kind]) => kind!)
    expect(
      rowsUnder(page, '## The kinds of row')
        .map(([kind]) => bare(kind!))
        .sort(),
    ).toEqual(kinds.sort())
  })
})

describe('docs/operators.md', () => {
  it('names the metrics that the gateway has of its own', () => {
    const names = [...read('src/server/metrics.ts').matchAll(/name: '(countersign_\w+)'/g)].map(([, name]) => name!)
    const rows = rowsUnder(read('docs/operators.md'), '### Metrics').map(([name]) => bare(name!).replace(/\{.*/, ''))
    expect([...new Set(rows)].sort()).toEqual(names.sort())
  })
})

describe('docs/reference/limits.md', () => {
  const rows = rowsUnder(read('docs/reference/limits.md')).map((cells) => cells.map(bare))

  it.each(rows)('%s: %s', (_what, value, where) => {
    expect(quantity(value!)).toBe(limitAt(where!))
  })

  it('has every constant that ends in MAX', () => {
    const constants = filesOf('src')
      .filter((file) => !/^src\/(sandbox|cli)\//.test(file))
      .flatMap((file) => [...read(file).matchAll(/const ([A-Z_]*MAX)\b/g)].map(([, name]) => `${file} ${name}`))
    const listed = rows.map(([, , where]) => where!)
    expect(constants.filter((constant) => !listed.includes(constant) && !INSIDE.includes(constant))).toEqual([])
  })
})

/** Bounds on the gateway's own work, which nobody outside can meet. */
const INSIDE: readonly string[] = [
  'src/call.ts ATTEMPTS_MAX',
  'src/catalogue/closest.ts DISTANCE_MAX',
  'src/catalogue/validate.ts SHOWN_LENGTH_MAX',
  'src/catalogue/validate.ts VALUES_SHOWN_MAX',
  'src/policy/build.ts PROJECTS_TRIED_MAX',
  'src/policy/explain-words.ts CLOSEST_MAX',
  'src/policy/instance.ts GROWTH_BYTES_MAX',
  'src/policy/near-miss.ts ROUNDS_MAX',
  'src/policy/near-miss.ts WITHIN_MAX',
  'src/policy/toolchain.ts COMPLAINT_CHARS_MAX',
  'src/policy/values.ts CHARS_MAX',
  'src/revisions/history.ts HISTORY_MAX',
  'src/revisions/revisions.ts FALLBACKS_MAX',
  'src/revisions/revisions.ts OVERTAKEN_MAX',
  'src/policy/values.ts VALUES_MAX',
  'src/spend/rehydrate.ts WAIT_MS_MAX',
  'src/store/postgres/journal.ts BATCH_BYTES_MAX',
  'src/store/postgres/journal.ts BATCH_MAX',
  'src/store/postgres/journal.ts PAGE_MAX',
  'src/store/postgres/write-batch.ts OVERTAKEN_MAX',
]

/** `256 KiB`, `30 s`, `1,000`: bytes, milliseconds or a count. */
function quantity(text: string): number {
  const [, number, unit = ''] = /^([\d,]+)(?: (KiB|MiB|ms|s|min|h|d))?$/.exec(text) ?? []
  if (number === undefined) throw new Error(`${text} is not a quantity`)
  return Number(number.replaceAll(',', '')) * UNITS[unit]!
}
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  KiB: 1_024,
  MiB: 1_048_576,
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** `src/server/body.ts BODY_BYTES_MAX`, `src/forward/options.ts connect_ms` or `schemas/call.json /properties/turn/maximum`. */
function limitAt(where: string): number {
  const [file = '', name = ''] = where.split(' ')
  const text = read(file)
  if (name.startsWith('/'))
    return name
      .slice(1)
      .split('/')
      .reduce((at: Schema, key) => at[key], JSON.parse(text))
  const [, expression] =
    new RegExp(`(?:const ${name}(?::[^=]+)? = |\\b${name}: )(\\d[\\d_]*(?: \\* \\w+)*)`).exec(text) ?? []
  if (expression === undefined) throw new Error(`${file} has no number ${name}`)
  return expression.split(' * ').reduce((product, factor) => {
    const number = Number(factor.replaceAll('_', ''))
    return product * (Number.isNaN(number) ? limitAt(`${file} ${factor}`) : number)
  }, 1)
}

function filesOf(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file}`)
}
