import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { LEFT_OUT, recall } from '../backtest/index.ts'
import { parseJson } from '../catalogue/index.ts'
import type { VaultKey } from '../model/agent.ts'
import type { DecisionInput } from '../model/decision.ts'
import type { AuditEvent } from '../model/event.ts'
import { isRefusal } from '../model/refusal.ts'
import {
  type Explanation,
  explainDecision,
  explainPolicyRefusal,
  explanationText,
  isPolicyRefusal,
  readFiles,
  readPolicy,
} from '../policy/index.ts'
import { adminClient, withAdminUrl } from './admin-client.ts'
import { CliError, note, print, waiting } from './output.ts'
import { catalogue, known, names } from './policy-catalogue.ts'
import { type FolderOptions, foldersOf, withFolders } from './policy-folders.ts'
import { validator } from './policy-schemas.ts'
import { storedFiles } from './policy-stored.ts'

interface Options extends FolderOptions {
  readonly input?: string
  readonly adminUrl?: string
  readonly trace?: true
  readonly json?: true
}

export const policyExplainCommand = withAdminUrl(withFolders(new Command('explain')))
  .description('say in words why a call is allowed, denied or held: what decided, which rules fired, what was missing')
  .argument('[event-id]', 'a call on record')
  .option('--input <file>', "or a decision's input, as schemas/decision-input.json; group and the like may be left out")
  .option('--trace', "print OPA's trace as well")
  .option('--json', 'print the explanation as JSON')
  .action(async (event_id: string | undefined, options: Options) => {
    const { input: file, trace, json, adminUrl } = options
    if ((event_id === undefined) === (file === undefined))
      throw new CliError(
        'There is nothing to explain, or twice.',
        'Name either the event id of a call on record, or a file with --input.',
      )
    const asked = file === undefined ? await fromRecord(event_id!, adminUrl) : { input: fromFile(file) }
    const inFolder = options.dir !== undefined || options.projects !== undefined
    const decided_by = inFolder ? undefined : asked.recorded?.event.policy_revision
    const explanation = await explained(options, asked.input, decided_by)
    if (asked.recorded) compareWithRecord(asked.recorded, explanation, decided_by)
    if (json) {
      const { trace: text, ...rest } = explanation
      return print(JSON.stringify({ input: asked.input, ...rest, ...(trace && { trace: text }) }, null, 2))
    }
    print(explanationText(explanation))
    if (trace) print(`\n${explanation.trace}`)
  })
  .addHelpText(
    'after',
    `
A call on record is explained by the policy that decided it, from the gateway's history (straight from the database where
DATABASE_URL is set); with --dir or --projects by the one in the folder now, and it is said where that one decides
otherwise. Params that the trail holds redacted are judged as they are recorded.

Examples:
  $ countersign policy explain 0198f1c2-7f2e-7a40-8c9d-3f0a5b6c7d8e
  $ countersign policy explain 0198f1c2-7f2e-7a40-8c9d-3f0a5b6c7d8e --dir rego
  $ countersign policy explain --input call.json --trace`,
  )

interface Asked {
  readonly input: DecisionInput
  readonly recorded?: { readonly event: AuditEvent; readonly then: string; readonly redacted: readonly string[] }
}

async function fromRecord(event_id: string, adminUrl: string | undefined): Promise<Asked> {
  const client = adminClient(adminUrl === undefined ? {} : { adminUrl })
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(event_id))
    throw new CliError(
      `${JSON.stringify(event_id)} is not an event id.`,
      'Take it from a reply (Countersign-Event-Id) or from `countersign audit tail`.',
    )
  const { events } = await client.get<{ events: AuditEvent[] }>('/admin/audit', { event_id, kind: 'decision' })
  const [event] = events
  if (!event)
    throw new CliError(
      `The gateway at ${client.url} has no decision with the event id ${event_id}.`,
      'Take the id from a reply or from `countersign audit tail`; a replayed call has the id of its first.',
    )
  const { vault_keys } = await client.get<{ vault_keys: VaultKey[] }>('/admin/vault-keys', { id: event.key_id })
  const recorded = recall(event, {
    catalogue: catalogue(),
    key: (id) => vault_keys.find((key) => key.id === id),
  })
  if (typeof recorded !== 'string') return { input: recorded.input, recorded }
  throw new CliError(
    `Policy cannot be asked about this call again: it was ${LEFT_OUT[recorded]}${event.reason ? ` (${event.reason})` : ''}.`,
    recorded === 'undecided' ? `\`countersign audit tail --event-id ${event_id}\` shows why.` : 'Try --input instead.',
  )
}

function fromFile(file: string): DecisionInput {
  let text: Buffer
  try {
    text = readFileSync(file)
  } catch (error) {
    throw new CliError(`${file} cannot be read: ${(error as Error).message}.`, 'Name a JSON file with --input.')
  }
  const given = parseJson(text)
  if (isRefusal(given)) throw new CliError(`${file}: ${given.detail}`, 'Write one JSON object.')
  const input = {
    ...{ organisation: 'default', occurrence: 1, params: {}, key: { id: '-' }, agent: { id: '-' }, spend: [] },
    time: new Date().toISOString(),
    ...known(given),
    ...given,
  }
  const valid = validator('decision-input')
  if (valid(input)) return input as unknown as DecisionInput
  const faults = valid.errors!.map(({ instancePath, message = 'is wrong', params }) => {
    const field = instancePath.slice(1).replaceAll('/', '.') || 'the input'
    return `${field} ${message}${params.additionalProperty ? ` (${params.additionalProperty})` : ''}`
  })
  throw new CliError(`${file}: ${faults.join('; ')}.`, 'schemas/decision-input.json lists the fields.')
}

async function explained(options: Options, input: DecisionInput, decided_by?: string): Promise<Explanation> {
  const { name, sources, fix } = await policyOf(options, decided_by)
  const explanation = isPolicyRefusal(sources) ? sources : await waiting('asking', explainDecision(sources, input))
  if (!isPolicyRefusal(explanation)) return explanation
  throw new CliError(`The policy ${name} cannot be asked.\n${explainPolicyRefusal(explanation)}`, fix)
}

/** The revision that decided; without one, the policy in the folder. */
async function policyOf(options: Options, decided_by: string | undefined) {
  if (decided_by !== undefined)
    return {
      name: decided_by,
      sources: await readFiles(await storedFiles(decided_by, options), names),
      fix: 'Explain the call by the version of Countersign that decided it, or by the policy in a folder with --dir.',
    }
  const folders = foldersOf(options)
  return {
    name: `in ${folders.policyDir}`,
    sources: await readPolicy(folders),
    fix: '`countersign policy build` checks it.',
  }
}

/** On standard error. */
function compareWithRecord(
  { event, then, redacted }: NonNullable<Asked['recorded']>,
  { decision }: Explanation,
  decided_by: string | undefined,
): void {
  note(`${event.ts}: policy said ${then}, by revision ${event.policy_revision}`)
  if (decision !== then)
    note(
      decided_by === undefined
        ? `the policy in the folder says ${decision}: it is another one than decided then`
        : `of what is on record it says ${decision} now`,
    )
  if (event.reason !== undefined && then === 'allow')
    note(`policy allowed the call; it was refused afterwards: ${event.reason}`)
  if (redacted.length > 0) note(`judged as recorded, redacted: ${redacted.join(', ')}`)
}
