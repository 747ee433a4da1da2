import { Command, InvalidArgumentError, Option } from 'commander'
import type { KeyFilter, VaultKey } from '../model/agent.ts'
import { adminClient, withAdminUrl } from './admin-client.ts'
import { type CreateOptions, keyRequest } from './key-request.ts'
import { describeKey, type KeySpend, keyTable, spendTable } from './key-table.ts'
import { CliError, note, print } from './output.ts'

interface Common {
  readonly adminUrl?: string
  readonly json?: true
}
type Created = VaultKey & { readonly vault_key: string }

const dollars = (text: string): number => {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('Write dollars, as 10 or 2.50; 0 makes the key read-only for whatever costs.')
  return value
}

const common = (command: Command): Command => withAdminUrl(command.option('--json', 'print JSON, for machines'))

const withFilters = (command: Command): Command =>
  command
    .option('--organisation <name>', 'keys of this organisation')
    .option('--project <name>', 'keys of this project')
    .option('--agent <id>', 'keys of this agent')
    .option('--role <role>', 'keys of agents in this role')
    .option('--run <run>', 'keys of this run')

const json = (value: unknown): void => print(JSON.stringify(value, null, 2))

function shown(created: Created, asJson: true | undefined): void {
  const { vault_key, ...key } = created
  if (asJson) json(created)
  else print(`vault key     ${vault_key}\n${describeKey(key, new Date())}`)
  note('The vault key is shown this once: only its digest is kept. Give it to the agent as COUNTERSIGN_VAULT_KEY.')
}

const create = common(new Command('create'))
  .summary('make a vault key; its secret is printed once')
  .description(
    'Makes a vault key. An option that is left out does not narrow the key; policy must allow a call as well.',
  )
  .option('--agent <id>', 'whose key it is (here or in --file)')
  .option('--role <role>', 'role of the agent, for policy')
  .option('--name <text>', 'what the key is for, for people')
  .option('--organisation <name>', 'organisation (default: "default")')
  .option('--project <name>', 'project, whose policy then applies')
  .option('--run <run>', 'bind the key to one run')
  .option('--provider <names...>', 'only these providers')
  .option('--operation <names...>', 'only these operations or operation groups: read payments.refund create_charge')
  .option('--endpoint <routes...>', 'only these routes, each as "POST /v1/charges"')
  .option('--customer <ids...>', 'only these customers')
  .option('--daily-cap-usd <dollars>', 'spend cap a day (UTC)', dollars)
  .option('--budget <budgets...>', 'each as "SCOPE WINDOW CAP CURRENCY", the cap in minor units')
  .option('--ttl <duration>', 'how long the key lives: 90s, 15m, 1h, 7d (default: until it is revoked)')
  .addOption(new Option('--repeat <mode>', 'what a repeated write means').choices(['replay', 'deny', 'off']))
  .option('--file <json>', 'the whole key as JSON, limits included; options go before it')
  .action(async (options: CreateOptions & Common) => {
    const { adminUrl, json: asJson, ...request } = options
    shown(await adminClient(options).post<Created>('/admin/vault-keys', keyRequest(request)), asJson)
  })
  .addHelpText(
    'after',
    `
Examples:
  $ countersign keys create --agent billing-1 --role support-tier-1 --provider stripe --ttl 1h
  $ countersign keys create --agent billing-1 --run conv-42 --operation read payments.refund \\
      --budget "run lifetime 2500 usd" --daily-cap-usd 10
  $ export COUNTERSIGN_VAULT_KEY=$(countersign keys create --agent me --json | jq -r .vault_key)`,
  )

const list = common(withFilters(new Command('list')))
  .description('list vault keys, revoked and expired ones included')
  .action(async ({ adminUrl, json: asJson, ...filter }: KeyFilter & Common) => {
    const answer = await adminClient(adminUrl ? { adminUrl } : {}).get<{ vault_keys: VaultKey[] }>(
      '/admin/vault-keys',
      {
        ...filter,
      },
    )
    if (asJson) return json(answer)
    if (answer.vault_keys.length === 0) return note('There is no such vault key. `countersign keys create` makes one.')
    print(keyTable(answer.vault_keys, new Date()))
  })
  .addHelpText('after', '\nExample:\n  $ countersign keys list --run conv-42')

const show = common(new Command('show').argument('<id>', 'vk_…'))
  .description('show one vault key and what was spent on it so far')
  .action(async (id: string, options: Common) => {
    const { spend, ...key } = await adminClient(options).get<VaultKey & { spend: KeySpend[] }>(pathOf(id))
    if (options.json) return json({ ...key, spend })
    print(describeKey(key, new Date()))
    if (spend.length > 0) print(`\n${spendTable(spend)}`)
  })
  .addHelpText('after', '\nExample:\n  $ countersign keys show vk_…')

const revoke = common(withFilters(new Command('revoke').argument('[id]', 'vk_…')))
  .description('revoke one vault key, or every one that the options name; it stops within a second on every gateway')
  .action(async (id: string | undefined, options: KeyFilter & Common) => {
    const { adminUrl: _url, json: asJson, ...filter } = options
    const named = { ...filter, ...(id && { id }) }
    if (Object.keys(named).length === 0)
      throw new CliError(
        'Nothing says which keys to revoke.',
        'Name an id, or at least one of --run, --agent, --project.',
      )
    const client = adminClient(options)
    // An id that is not there is an error; a filter that meets nothing is not.
    if (id) await client.get(pathOf(id))
    const answer = await client.post<{ revoked: string[] }>('/admin/vault-keys/revoke', named)
    if (asJson) return json(answer)
    if (answer.revoked.length === 0) return note('No live key is among these: nothing changed.')
    for (const revoked of answer.revoked) print(`revoked ${revoked}`)
  })
  .addHelpText('after', '\nExamples:\n  $ countersign keys revoke vk_…\n  $ countersign keys revoke --run conv-42')

const rotate = common(new Command('rotate').argument('<id>', 'vk_…'))
  .description('make a new key for the same purpose; the old one ends when the overlap is over')
  .option('--overlap <duration>', 'how long both work: 90s, 10m, 1h (default: the old one ends at once)')
  .action(async (id: string, { overlap, ...options }: Common & { overlap?: string }) => {
    const created = await adminClient(options).post<Created>(`${pathOf(id)}/rotate`, overlap ? { overlap } : {})
    shown(created, options.json)
  })
  .addHelpText('after', '\nExample:\n  $ countersign keys rotate vk_… --overlap 10m')

const pathOf = (id: string): string => `/admin/vault-keys/${encodeURIComponent(id)}`

export const keysCommand = new Command('keys').description('make, list, show, revoke and rotate vault keys')
for (const command of [create, list, show, revoke, rotate]) keysCommand.addCommand(command)
