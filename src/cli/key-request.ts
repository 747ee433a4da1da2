/** The options of `keys create` as the body of `POST /admin/vault-keys`; the gateway checks it against its schema. */
import { readFileSync } from 'node:fs'
import { parseJson } from '../catalogue/index.ts'
import type { VaultKeyRequest } from '../identity/index.ts'
import { SCOPES, WINDOWS } from '../model/budget.ts'
import { defined } from '../model/defined.ts'
import type { JsonObject } from '../model/operation.ts'
import { isRefusal } from '../model/refusal.ts'
import { CliError } from './output.ts'

/** As the command line writes them: one name for a list, and the agent in two. */
export interface CreateOptions
  extends Pick<VaultKeyRequest, 'name' | 'organisation' | 'project' | 'run' | 'ttl' | 'repeat'> {
  readonly agent?: string
  readonly role?: string
  readonly provider?: readonly string[]
  readonly operation?: readonly string[]
  readonly endpoint?: readonly string[]
  readonly customer?: readonly string[]
  readonly dailyCapUsd?: number
  readonly budget?: readonly string[]
  readonly file?: string
}

/** What is given by an option goes before what the file says. */
export function keyRequest(options: CreateOptions): object {
  const { agent, role, provider, operation, endpoint, customer, dailyCapUsd, budget, file, ...plain } = options
  const { agent: fileAgent, ...base } = file === undefined ? {} : readKeyFile(file)
  const who = { ...(isObject(fileAgent) ? fileAgent : {}), ...defined({ id: agent, role }) }
  if (!('id' in who)) throw new CliError('The key has no agent.', 'Name it with --agent ID, or as "agent" in --file.')
  return {
    ...base,
    ...pickRequest(plain),
    agent: who,
    ...defined({
      providers: provider,
      operations: operation,
      endpoints: endpoint,
      customers: customer,
      daily_cap_usd: dailyCapUsd,
      budgets: budget?.map(budgetOf),
    }),
  }
}

const pickRequest = ({ name, organisation, project, run, ttl, repeat }: CreateOptions): object =>
  defined({ name, organisation, project, run, ttl, repeat })

function readKeyFile(file: string): JsonObject {
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    throw new CliError(`${file} cannot be read: ${(error as Error).message}.`, 'Name a file that is there.')
  }
  const tree = parseJson(bytes)
  if (isRefusal(tree)) throw new CliError(`${file}: ${tree.detail}`, 'Write one JSON object, each name once.')
  return tree
}

/** `run lifetime 2500 usd`, or with the one subject that it is for: `project month 100000 usd project-billing`. */
function budgetOf(text: string): object {
  const [scope = '', window = '', cap = '', currency = '', subject, ...more] = text.trim().split(/\s+/)
  const scopes: readonly string[] = SCOPES
  const wrong = !scope.split('+').every((part) => scopes.includes(part))
    ? `${JSON.stringify(scope)} is not a scope (${SCOPES.join(', ')}, or a pair such as agent+provider)`
    : !(WINDOWS as readonly string[]).includes(window)
      ? `${JSON.stringify(window)} is not a window (${WINDOWS.join(', ')})`
      : !/^\d+$/.test(cap) || !Number.isSafeInteger(Number(cap))
        ? `${JSON.stringify(cap)} is not a cap in whole minor units`
        : !/^[a-z]{3}$/.test(currency)
          ? `${JSON.stringify(currency)} is not a currency such as usd`
          : more.length > 0
            ? `${JSON.stringify(more.join(' '))} is too much`
            : undefined
  if (wrong)
    throw new CliError(
      `--budget ${JSON.stringify(text)}: ${wrong}.`,
      'Write "SCOPE WINDOW CAP CURRENCY [SUBJECT]" with the cap in minor units: "run lifetime 2500 usd" is 25 dollars a run.',
    )
  return { scope, window, cap: Number(cap), currency, ...(subject && { subject }) }
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
