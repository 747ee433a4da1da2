/**
 * `make demo`: starts the gateway on the embedded default with the sandbox as its provider, and plays a tour of real calls.
 * Each step says what it shows and is checked against what the gateway, the sandbox and the audit trail say afterwards.
 * At a terminal it keeps serving; without one it exits: 0 if every step did what it says, 1 if any did not.
 */
import { spawn } from 'node:child_process'
import { appendFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Countersign, CountersignError } from '@countersign/sdk'

const root = fileURLToPath(new URL('../..', import.meta.url))
const home = `${root}.countersign/demo`
const policyFile = `${home}/rego/tool_decision.rego`

/** The rule that the tour adds while the gateway runs. */
const REFUND_RULE = `
allow {
  input.provider == "stripe"
  input.operation == "create_refund"
  input.agent.role == "support-tier-1"
  input.params.amount <= 5000
}
`

const bold = (text) => (process.stdout.isTTY ? `\x1b[1m${text}\x1b[0m` : text)
const say = (text = '') => console.log(text)
let failed = 0

/** One step: what it shows, what happened, and whether that is what was meant to happen. */
function show(title, lines, held) {
  if (!held) failed++
  say(`\n${held ? '✓' : '✗'} ${bold(title)}`)
  for (const line of lines.filter(Boolean)) say(`    ${line}`)
  if (!held) say('    this step did not do what it says')
}

/** What came back, as one value: an answer or a refusal. */
const attempt = (call) =>
  call.then(
    (answer) => ({ answer }),
    (error) => {
      if (error instanceof CountersignError) return { refusal: error }
      throw error
    },
  )
const told = ({ refusal }) => refusal && [`${refusal.status} ${refusal.code}: ${refusal.detail}`, `fix: ${refusal.fix}`]

async function start() {
  rmSync(home, { recursive: true, force: true })
  mkdirSync(`${home}/policies`, { recursive: true })
  cpSync(`${root}rego/tool_decision.rego`, policyFile)
  writeFileSync(
    `${home}/countersign.yaml`,
    'budgets:\n  - { scope: project, subject: support, window: day, cap: 12000, currency: usd }\n',
  )
  const ports = process.stdout.isTTY ? [8787, 8788] : [await freePort(), await freePort()]
  const child = spawn(process.execPath, [`${root}dist/cli/main.js`, 'serve'], {
    cwd: home,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env.PATH,
      COUNTERSIGN_SANDBOX: '1',
      COUNTERSIGN_DATA_DIR: `${home}/data`,
      COUNTERSIGN_ADMIN_TOKEN: 'demo-admin-token',
      COUNTERSIGN_PORT: String(ports[0]),
      COUNTERSIGN_ADMIN_PORT: String(ports[1]),
      COUNTERSIGN_LOG_LEVEL: 'error',
    },
  })
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += chunk))
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const [agent, admin] = ports.map((port) => `http://127.0.0.1:${port}`)
  for (let tries = 0; ; tries++) {
    const ready = await fetch(`${agent}/readyz`).then(
      (r) => r.ok,
      () => false,
    )
    if (ready) break
    if (child.exitCode !== null || tries > 300) throw new Error(`the gateway did not start:\n${errors}`)
    await sleep(100)
  }
  const [, sandbox] = /^sandbox +(\S+)/m.exec(errors) ?? []
  return {
    agent,
    admin,
    sandbox,
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms))

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

async function tour({ agent, admin, sandbox }) {
  const asAdmin = async (path, body) => {
    const response = await fetch(`${admin}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: 'Bearer demo-admin-token' },
      ...(body && { body: JSON.stringify(body) }),
    })
    return response.json()
  }
  const effects = async () =>
    (await (await fetch(`${sandbox}/_sandbox/effects`)).json()).filter((e) => e.kind.startsWith('refund'))
  const revision = async () => (await (await fetch(`${agent}/readyz`)).json()).policy_revision

  const key = await asAdmin('/admin/vault-keys', {
    name: 'demo conversation',
    organisation: 'acme',
    project: 'support',
    agent: { id: 'support-agent', role: 'support-tier-1' },
    run: 'conv-1',
    providers: ['stripe'],
    ttl: '1h',
  })
  const countersign = new Countersign({ baseUrl: agent, vaultKey: key.vault_key })
  const refund = (params, options) => attempt(countersign.callProvider('stripe', 'create_refund', params, options))
  say(
    `An agent holds the vault key ${key.vault_key.slice(0, 9)}… It is useless at Stripe; the gateway alone has the real one.`,
  )

  const customers = await attempt(countersign.callProvider('stripe', 'list_customers', { limit: 2 }))
  show(
    'A read is allowed',
    [
      `list_customers → ${customers.answer?.status}, ${customers.answer?.data.data.length} customers, event ${customers.answer?.eventId}`,
    ],
    customers.answer?.data.data.length === 2,
  )

  const denied = await refund({ charge: 'ch_123', amount: 500 })
  show(
    'A write is denied until a rule allows it',
    told(denied) ?? [],
    denied.refusal?.code === 'policy_denied' && (await effects()).length === 0,
  )

  const before = await revision()
  appendFileSync(policyFile, REFUND_RULE)
  for (let tries = 0; tries < 100 && (await revision()) === before; tries++) await sleep(100)
  const after = await revision()
  show(
    'The rule is written into tool_decision.rego, and is in force without a restart',
    [...REFUND_RULE.trim().split('\n'), `revision ${before.slice(0, 19)}… → ${after.slice(0, 19)}…`],
    after !== before,
  )

  const allowed = await refund({ charge: 'ch_123', amount: 5000 }, { callId: 'call_1' })
  const sent = await effects()
  show(
    'Now 50.00 USD go through, once, under a key that derives from the audit event',
    [
      `${allowed.answer?.data.id} of ${allowed.answer?.data.amount}, event ${allowed.answer?.eventId}`,
      `Idempotency-Key at Stripe: ${sent[0]?.idempotency_key}`,
    ],
    allowed.answer && sent.length === 1 && sent[0].idempotency_key === `cs-${allowed.answer.eventId}`,
  )

  const over = await refund({ charge: 'ch_123', amount: 5001 })
  show('One cent more is denied', told(over) ?? [], over.refusal?.code === 'policy_denied')

  const remaining = await refund({ charge: 'ch_123' })
  show(
    'Without an amount Stripe would refund all that remains; the rule asks for an amount, so this is denied',
    told(remaining) ?? [],
    remaining.refusal?.code === 'policy_denied',
  )

  const [again, twin] = [
    await refund({ charge: 'ch_123', amount: 5000 }, { callId: 'call_1' }),
    await refund({ charge: 'ch_123', amount: 5000 }),
  ]
  show(
    'The agent retries, and its framework replays its memory: the record answers, nothing moves again',
    [
      `same call id  → ${again.answer?.data.id}, replayed ${again.answer?.replayed}`,
      `no call id    → ${twin.answer?.data.id}, replayed ${twin.answer?.replayed}`,
    ],
    again.answer?.replayed && twin.answer?.replayed && (await effects()).length === 1,
  )

  const storm = await Promise.all(
    Array.from({ length: 20 }, () => refund({ charge: 'ch_124', amount: 4000 }, { callId: 'call_storm' })),
  )
  const ids = new Set(storm.map(({ answer }) => answer?.eventId))
  show(
    'Twenty at once are one event and one refund',
    [`${storm.length} answers, ${ids.size} event, ${(await effects()).length - 1} refund`],
    ids.size === 1 && (await effects()).length === 2,
  )

  const capped = await refund({ charge: 'ch_123', amount: 4500 })
  show(
    "The project's budget is 120.00 USD a day: what would pass it never leaves",
    told(capped) ?? [],
    capped.refusal?.code === 'spend_cap_exceeded',
  )

  const wanted = await refund({ charge: 'ch_123', amount: 1000 }, { callId: 'call_1', occurrence: 1 })
  show(
    'The same call id with other params is a conflict',
    told(wanted) ?? [],
    wanted.refusal?.code === 'call_id_conflict',
  )

  await asAdmin('/admin/vault-keys/revoke', { run: 'conv-1' })
  let revoked
  for (let tries = 0; tries < 20; tries++) {
    revoked = await attempt(countersign.callProvider('stripe', 'list_customers', { limit: 1 }))
    if (revoked.refusal) break
    await sleep(100)
  }
  show(
    'The run is revoked, and its key stops within a second',
    told(revoked) ?? [],
    revoked.refusal?.code === 'revoked_key',
  )

  const { events } = await asAdmin('/admin/audit?run=conv-1&limit=100')
  const refunds = events.filter(
    (e) => e.outcome === 'succeeded' && e.kind === 'outcome' && e.operation === 'create_refund',
  )
  show(
    'Every step is an audit row, written before it mattered',
    events
      .slice(0, 8)
      .map((e) =>
        [
          e.ts.slice(11, 23),
          e.kind.padEnd(8),
          (e.decision ?? '').padEnd(5),
          e.action,
          e.outcome ?? e.reason ?? '',
        ].join('  '),
      ),
    refunds.length === (await effects()).length,
  )
}

say('Countersign demo: a gateway, its embedded database and a stateful Stripe sandbox, all on this machine.')
const gateway = await start()
try {
  await tour(gateway)
} finally {
  if (!process.stdout.isTTY || failed > 0) await gateway.stop()
}
say(failed === 0 ? '\nEvery step did what it says.' : `\n${failed} steps did not do what they say.`)
if (process.stdout.isTTY && failed === 0) {
  say(`\nStill serving. Agent plane ${gateway.agent} (routes at ${gateway.agent}/docs), admin plane ${gateway.admin}`)
  say(`Policy to edit: ${policyFile}   Admin token: demo-admin-token   Ctrl-C ends it.`)
  process.once('SIGINT', () => void gateway.stop().then(() => process.exit(0)))
} else process.exitCode = failed === 0 ? 0 : 1
