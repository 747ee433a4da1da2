/** A long history in PostgreSQL, read straight from there by the command. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Report } from '../../src/backtest/index.ts'
import { createJournal, createKeyStore, openPostgres } from '../../src/store/postgres/index.ts'
import { run } from '../cli/run.ts'
import { type FreshDatabase, freshDatabase } from '../services/database.ts'
import { HISTORY_KEYS, writeHistory } from './history.ts'

const CALLS = 10_000

/** As it was then, and the second line as well. */
const CANDIDATE = `package tool_decision

import rego.v1

allow if {
	input.operation == "create_refund"
	input.agent.role in {"support-tier-1", "support-tier-2"}
	input.amount.value <= 5000
}

deny contains "a budget of another agent" if {
	some budget in input.spend
	budget.budget != $"agent {input.agent.id} per day"
}
`

describe('ten thousand calls on record', { timeout: 120_000 }, () => {
  let database: FreshDatabase
  const cwd = mkdtempSync(join(tmpdir(), 'countersign-history-'))

  beforeAll(async () => {
    database = await freshDatabase(inject('postgresUrl'), inject('postgresTemplate'))
    mkdirSync(join(cwd, 'rego'))
    writeFileSync(join(cwd, 'rego/tool_decision.rego'), CANDIDATE)
    const opened = openPostgres({ url: database.url })
    const keys = createKeyStore(opened.db)
    // The last key is not known any more.
    for (const key of HISTORY_KEYS.slice(0, -1)) await keys.insert(key, Buffer.from(key.id))
    const journal = createJournal(opened)
    await writeHistory(journal, CALLS, Date.now())
    await journal.close()
  })
  afterAll(async () => {
    rmSync(cwd, { recursive: true, force: true })
    await database?.drop()
  })

  const backtest = async (...args: string[]): Promise<Report> => {
    const env = { DATABASE_URL: database.url }
    const { code, out, err } = await run(['policy', 'backtest', '--format', 'json', ...args], { cwd, env })
    expect(code, err).toBe(0)
    return JSON.parse(out) as Report
  }

  it('are compared but for those of a key that is gone, and none twice', async () => {
    const report = await backtest('--since', '8d')
    expect(report).toMatchObject({
      ...{ rows: CALLS, compared: CALLS - 250, faults: 0 },
      left_out: { undecided: 0, unlisted: 0, key_unknown: 250 },
    })
    // Eight of forty agents are of the second line, two of those only read; half of the sums are small enough.
    const newly = HISTORY_KEYS.filter(({ agent }) => agent.role === 'support-tier-2').map(({ agent }) => agent.id)
    expect(newly).toHaveLength(8)
    expect(report.changes).toMatchObject([{ from: 'deny', to: 'allow' }])
    const [{ by_agent, calls }] = report.changes as [Report['changes'][number]]
    for (const { name } of by_agent) expect(newly).toContain(name)
    expect(by_agent.reduce((sum, group) => sum + group.calls, 0)).toBe(calls)
    const { allow, deny, hold } = report.unchanged
    expect(allow + deny + hold + calls).toBe(report.compared)
  })

  it('are asked about in part where a time or an agent is named', async () => {
    const half = await backtest('--since', '84h')
    expect(half.rows).toBeGreaterThan(CALLS / 2 - 100)
    expect(half.rows).toBeLessThan(CALLS / 2 + 100)
    expect(await backtest('--since', '8d', '--agent', 'support-1')).toMatchObject({ rows: 250, compared: 250 })
  })
})
