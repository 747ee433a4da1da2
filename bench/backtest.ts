/** A candidate policy over a week of recorded calls: how long `countersign policy backtest` takes, everything included. */
import { execFile } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Report } from '../src/backtest/index.ts'
import { createJournal, createKeyStore, migrate, openPostgres } from '../src/store/postgres/index.ts'
import { HISTORY_KEYS, writeHistory } from '../test/backtest/history.ts'
import { startPostgres } from '../test/services/postgres.ts'
import { policyFolder, serveIn } from './gateway.ts'
import { median } from './rounds.ts'
import { rate, type Table, verdict } from './table.ts'

const CLI = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const CALLS = 100_000
const AIM_S = 10
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024

/** Second-line support as well, and everybody up to 80.00 USD. */
const CANDIDATE = `
allow if {
	input.operation == "create_refund"
	input.agent.role in {"support-tier-1", "support-tier-2"}
	input.amount.currency == "usd"
	input.amount.value <= 8000
}
`

const run = promisify(execFile)

export async function backtest({ rounds }: { readonly rounds: number }): Promise<Table> {
  const postgres = await startPostgres()
  try {
    const opened = openPostgres({ url: postgres.url })
    await migrate(opened.db)
    const journal = createJournal(opened)
    const keys = createKeyStore(opened.db)
    for (const key of HISTORY_KEYS) await keys.insert(key, Buffer.from(key.id))
    await writeHistory(journal, CALLS, Date.now())
    await journal.close()

    const folder = policyFolder()
    appendFileSync(join(folder, 'rego/tool_decision.rego'), CANDIDATE)
    const gateway = await serveIn(folder, { DATABASE_URL: postgres.url })
    try {
      const ways = {
        'from PostgreSQL': { DATABASE_URL: postgres.url },
        "through a gateway's admin plane": {
          COUNTERSIGN_ADMIN_URL: gateway.admin_url,
          COUNTERSIGN_ADMIN_TOKEN: gateway.admin_token,
        },
      }
      const rows: string[][] = []
      const verdicts: string[] = []
      for (const [way, env] of Object.entries(ways)) {
        const seconds: number[] = []
        for (let round = 0; round < rounds; round += 1) seconds.push(await timed(folder, env))
        const middle = median(seconds)
        rows.push([way, middle.toFixed(1), Math.max(...seconds).toFixed(1), rate(CALLS / middle)])
        verdicts.push(verdict(`Backtest ${way}`, `${middle.toFixed(1)} s`, `under ${AIM_S} s`, middle < AIM_S))
      }
      return {
        title: `Backtest over ${rate(CALLS)} recorded calls`,
        about:
          'The whole command, from its start to its report: it compiles the candidate, reads a week of decisions and asks ' +
          'each again. The candidate allows more than what was in force.',
        columns: ['', 'median s', 'slowest s', 'calls/s'],
        rows,
        verdicts,
      }
    } finally {
      await gateway.stop()
    }
  } finally {
    await postgres.remove()
  }
}

async function timed(cwd: string, env: NodeJS.ProcessEnv): Promise<number> {
  const began = performance.now()
  const args = [CLI, 'policy', 'backtest', '--since', '8d', '--format', 'json']
  const { PATH } = process.env
  const { stdout } = await run(process.execPath, args, { cwd, env: { PATH, ...env }, maxBuffer: OUTPUT_BYTES_MAX })
  const { compared } = JSON.parse(stdout) as Report
  if (compared !== CALLS) throw new Error(`${compared} of ${CALLS} calls were compared`)
  return (performance.now() - began) / 1000
}
