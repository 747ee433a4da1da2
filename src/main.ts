/** The process: opens its parts in order, keeps them going, and drains. What each part is made of is in `process/`. */
import { join } from 'node:path'
import { loadCatalogue, serviceNames } from './catalogue/index.ts'
import type { Config } from './config.ts'
import { credentialVault, masterKey, signer } from './identity/index.ts'
import { POLICY_LIBRARY_DIR, PROVIDERS_DIR } from './layout.ts'
import { localAdminToken, localMasterKey } from './local-secrets.ts'
import { newId } from './model/id.ts'
import { createPolicyStore, isPolicyRefusal } from './policy/index.ts'
import { takeCredentials } from './process/credentials.ts'
import { doorsOf } from './process/doors.ts'
import { createGate } from './process/gate.ts'
import { createLog } from './process/log.ts'
import type { GatewayOptions, Surroundings } from './process/options.ts'
import { keepRecovering } from './process/recovering.ts'
import { openStores } from './process/stores.ts'
import { openUpstreams } from './process/upstreams.ts'
import { wire } from './process/wire.ts'
import { revisions, watchPolicies } from './revisions/index.ts'
import { spawnSandbox } from './sandbox-process.ts'
import { createMetrics } from './server/index.ts'
import { createRehydration } from './spend/index.ts'

export type { GatewayOptions } from './process/options.ts'

export interface Gateway {
  readonly agent_url: string
  readonly admin_url: string
  readonly admin_token: string
  /** Set where the token was made at this start: the one time to show it. */
  readonly admin_token_is_new: boolean
  readonly policy_revision: string
  readonly sandbox_url: string | undefined
  /** Takes no new call, finishes and records those on their way, and closes every part. */
  close(): Promise<void>
}

export async function startGateway(config: Config, options: GatewayOptions = {}): Promise<Gateway> {
  const { log = createLog(config.log_level), around = (_name, port) => port, embedded } = options
  const closers: (() => Promise<unknown>)[] = []
  try {
    return await assemble(config, { log, around, embedded }, closers)
  } catch (error) {
    for (const close of closers.reverse()) await close().catch(() => undefined)
    throw error
  }
}

async function assemble(
  config: Config,
  surroundings: Surroundings,
  closers: (() => Promise<unknown>)[],
): Promise<Gateway> {
  const { log } = surroundings
  // The slowest part of a start goes on beside the others.
  const opening = openStores(config, surroundings)
  closers.push(async () => {
    const { journal, counters } = await opening
    await Promise.all([journal.close(), counters.close()])
  })
  const token = config.admin_token ? { value: config.admin_token, made: false } : localAdminToken(config.data_dir)
  const master = masterKey(config.master_key ?? localMasterKey(config.data_dir).value)
  const catalogue = loadCatalogue(PROVIDERS_DIR)
  const metrics = createMetrics()

  const gateway_id = newId('gw')
  const folders = { policyDir: config.policy_dir, projectsDir: config.projects_dir, libraryDir: POLICY_LIBRARY_DIR }
  const policies = createPolicyStore({
    ...folders,
    names: serviceNames(catalogue),
    cacheDir: join(config.data_dir, 'policy-cache'),
    log,
  })

  const [stores, folderPolicy, sandbox] = await Promise.all([
    opening,
    policies.readFolders().then((found) => (isPolicyRefusal(found) ? found : policies.prepare(found))),
    config.sandbox ? spawnSandbox() : undefined,
  ])
  const { journal, counters, keys } = stores
  closers.push(async () => sandbox?.close())
  if (!config.policy_is_own)
    log.warn(
      { policy_dir: config.policy_dir },
      'there is no ./rego: the packaged starter policy is in force (reads only)',
    )
  const history = revisions({
    policies,
    store: stores.policies,
    append: (events) => journal.append(events),
    signer: signer(master.policySigning),
    gateway: gateway_id,
    log,
    now: () => new Date(),
  })
  const { policy_bundle } = config
  await history.start(folderPolicy, { empty_only: policy_bundle !== undefined })
  closers.push(watchPolicies({ revisions: history, policies, folders, bundle: policy_bundle, log }))

  const credentials = credentialVault(stores.credentials, master)
  await takeCredentials(config, credentials, sandbox)
  const upstreams = openUpstreams(config, catalogue, credentials, sandbox, surroundings)
  closers.push(() => Promise.all([...upstreams.values()].map((upstream) => upstream.close())))

  const rebuild = createRehydration({ counters, journal })
  const rooms = wire({ gateway_id, config, catalogue, master, stores, policies, upstreams, rebuild, metrics, log })
  for (const organisation of new Set([
    ...(await journal.organisations()),
    ...(await keys.list({})).map((key) => key.organisation),
  ]))
    await rebuild(organisation)

  const gate = createGate()
  const admin_token = token.value
  const doors = doorsOf({
    config,
    rooms,
    stores,
    master,
    credentials,
    policies,
    history,
    rebuild,
    gate,
    admin_token,
    metrics,
    log,
  })
  const agent = await doors.openAgentPlane()
  closers.push(() => agent.close())
  const admin = await doors.openAdminPlane()
  closers.push(() => admin.close())
  const recovery = keepRecovering(rooms, config, metrics, log)
  log.info({ agent_port: agent.port, admin_port: admin.port, engine: stores.engine, gateway: gateway_id }, 'ready')

  return {
    agent_url: `http://${config.host}:${agent.port}`,
    admin_url: `http://${config.host}:${admin.port}`,
    admin_token,
    admin_token_is_new: token.made,
    policy_revision: policies.current().revision,
    sandbox_url: sandbox?.url,
    async close() {
      gate.close()
      await Promise.all([agent.close(), admin.close()])
      while (metrics.inFlight() > 0) await new Promise((wake) => setTimeout(wake, 20))
      await recovery.stop()
      for (const close of closers.reverse()) await close()
      log.info('drained')
    },
  }
}
