/** The embedded default, from an empty folder and again: how long until a call is answered. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AGENT, allowMeasured, policyFolder, serveIn } from './gateway.ts'
import { median } from './rounds.ts'
import { freshFolder } from './scratch.ts'
import { ms, type Table, verdict } from './table.ts'

const SANDBOX = { COUNTERSIGN_SANDBOX: '1' }
const FIRST_S = 4
const LATER_S = 1

interface Start {
  readonly ready_ms: number
  readonly answered_ms: number
}

export async function embeddedStart({ rounds }: { readonly rounds: number }): Promise<Table> {
  const first: Start[] = []
  const later: Start[] = []
  for (let round = 0; round < rounds; round += 1) {
    const folder = policyFolder()
    allowMeasured(folder)
    writeFileSync(join(folder, 'countersign.yaml'), '')
    const env = { ...SANDBOX, COUNTERSIGN_DATA_DIR: join(freshFolder('data'), 'countersign') }
    const made = await timed(folder, env)
    first.push(made)
    later.push(await timed(folder, env, made.key))
    later.push(await timed(folder, env, made.key))
  }
  const middle = (starts: readonly Start[], of: keyof Start) => median(starts.map((start) => start[of]))
  const worst = (starts: readonly Start[]) => Math.max(...starts.map((start) => start.answered_ms))
  const row = (what: string, starts: readonly Start[]) => [
    what,
    ms(middle(starts, 'ready_ms')),
    ms(middle(starts, 'answered_ms')),
    ms(worst(starts)),
  ]
  const [made, again] = [middle(first, 'answered_ms') / 1000, middle(later, 'answered_ms') / 1000]
  return {
    title: 'Start of the embedded default',
    about:
      'From the moment `countersign serve` is run, with the sandbox and no other service, to `/readyz` and to the first ' +
      'answered call (`list_customers`). The first start finds an empty folder, so it also makes the database and a vault key.',
    columns: ['', 'ready ms', 'first call answered ms', 'slowest ms'],
    rows: [row('first ever start', first), row('every later start', later)],
    verdicts: [
      verdict('First start', `${made.toFixed(2)} s`, `under ${FIRST_S} s`, made < FIRST_S),
      verdict('Later starts', `${again.toFixed(2)} s`, `under ${LATER_S} s`, again < LATER_S),
    ],
  }
}

async function timed(
  folder: string,
  env: NodeJS.ProcessEnv,
  known?: string,
): Promise<Start & { readonly key: string }> {
  const began = performance.now()
  const gateway = await serveIn(folder, env)
  try {
    const ready_ms = performance.now() - began
    const key = known ?? (await gateway.vaultKey({ agent: AGENT, providers: ['stripe'] }))
    const answer = await fetch(`${gateway.url}/v1/providers/stripe/operations/list_customers`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ params: { limit: 1 } }),
    })
    if (!answer.ok) throw new Error(`the first call was refused: ${await answer.text()}`)
    await answer.arrayBuffer()
    return { ready_ms, answered_ms: performance.now() - began, key }
  } finally {
    await gateway.stop()
  }
}
