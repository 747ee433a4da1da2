/** The gateway as an operator runs it: the built command in a process of its own. */
import { randomBytes } from 'node:crypto'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../test/services/process.ts'
import { type Server, start } from './program.ts'
import { freshFolder } from './scratch.ts'

const CLI = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const POLICY = fileURLToPath(new URL('../rego/', import.meta.url))

/** The policy of every benchmark, beside the library: the starter policy, with a rule that allows what is measured. */
const RULE = `
allow if {
	input.operation in {"create_charge", "create_refund"}
	input.agent.role == "support-tier-1"
	input.params.amount <= 5000
}
`
export const AGENT = { id: 'agent-1', role: 'support-tier-1' }

interface GatewayOptions {
  readonly env?: NodeJS.ProcessEnv
  /** Lines of countersign.yaml. */
  readonly config?: string
  /** More Rego beside the measured rule. */
  readonly rules?: string
}

export interface MeasuredGateway extends Server {
  readonly admin_url: string
  readonly admin_token: string
  /** A new vault key; its secret. */
  vaultKey(request: object): Promise<string>
}

/** A folder to start in, with the policy; also what OPA loads. */
export function policyFolder(): string {
  const folder = freshFolder('gateway')
  cpSync(POLICY, join(folder, 'rego'), { recursive: true, filter: (path) => !path.endsWith('/tests') })
  return folder
}

/** `rules`: more Rego, before the rule that allows. */
export function allowMeasured(folder: string, rules = ''): void {
  const file = join(folder, 'rego/tool_decision.rego')
  writeFileSync(file, `${rules}${RULE}`, { flag: 'a' })
}

export async function startMeasuredGateway({ env = {}, config = '', rules }: GatewayOptions): Promise<MeasuredGateway> {
  const folder = policyFolder()
  allowMeasured(folder, rules)
  writeFileSync(join(folder, 'countersign.yaml'), config)
  return serveIn(folder, env)
}

export async function serveIn(folder: string, env: NodeJS.ProcessEnv): Promise<MeasuredGateway> {
  const [port, adminPort] = [await freePort(), await freePort()]
  const token = `csadm_${randomBytes(32).toString('base64url')}`
  const server = await start({
    program: process.execPath,
    args: [CLI, 'serve'],
    url: `http://127.0.0.1:${port}`,
    ready: '/readyz',
    cwd: folder,
    env: {
      COUNTERSIGN_PORT: String(port),
      COUNTERSIGN_ADMIN_PORT: String(adminPort),
      COUNTERSIGN_ADMIN_TOKEN: token,
      COUNTERSIGN_LOG_LEVEL: 'warn',
      ...env,
    },
  })
  return {
    ...server,
    admin_url: `http://127.0.0.1:${adminPort}`,
    admin_token: token,
    async vaultKey(request) {
      const made = await fetch(`http://127.0.0.1:${adminPort}/admin/vault-keys`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(request),
      })
      if (!made.ok) throw new Error(`no vault key: ${await made.text()}`)
      return ((await made.json()) as { vault_key: string }).vault_key
    },
  }
}
