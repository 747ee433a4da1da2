/** The process: wires the ports, keeps time, and drains. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { type Logger, pino } from 'pino'
import { row, toLine } from './audit/index.ts'
import { call } from './call.ts'
import { callRecord } from './call-record.ts'
import { type Catalogue, loadCatalogue, parseJson, serviceNames } from './catalogue/index.ts'
import type { Config } from './config.ts'
import { createUpstream, STRIPE, UPSTREAM_LIMITS, type Upstream } from './forward/index.ts'
import {
  authenticate,
  type CredentialVault,
  credentialVault,
  keyFinder,
  type MasterKey,
  masterKey,
  sealer,
  signer,
  type VaultKeyRequest,
} from './identity/index.ts'
import { type Judging, judging, operationNames } from './judge.ts'
import { POLICY_LIBRARY_DIR, PREPARED_DATABASE, PROVIDERS_DIR, SCHEMAS_DIR } from './layout.ts'
import { localAdminToken, localMasterKey } from './local-secrets.ts'
import type { CallRequest } from './model/call.ts'
import type { Counters } from './model/counters.ts'
import { Fault, faultsAs } from './model/fault.ts'
import { newEventId, newId } from './model/id.ts'
import type { Journal } from './model/journal.ts'
import { refuse } from './model/refusal.ts'
import type { RevisionStore } from './model/revision.ts'
import { createPolicyStore, explainPolicyRefusal, isPolicyRefusal, type PolicyStore } from './policy/index.ts'
import { recover } from './recover.ts'
import { running } from './replay/index.ts'
import { revisions, watchPolicies } from './revisions/index.ts'
import type { Rooms } from './rooms.ts'
import { type SandboxProcess, spawnSandbox } from './sandbox-process.ts'
import {
  adminPlane,
  adminRefusal,
  agentPlane,
  createMetrics,
  listen,
  type Metrics,
  openApi,
  serviceRoutes,
  surfaces,
} from './server/index.ts'
import { createRehydration } from './spend/index.ts'
import { createMemoryCounters } from './store/memory/index.ts'
import {
  createCredentialStore,
  createJournal,
  createKeyStore,
  createRevisionStore,
  migrate,
  openPglite,
  openPostgres,
} from './store/postgres/index.ts'
import { vaultKeys } from './vault-keys.ts'

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

/** How long a twin waits beyond the provider's deadline, for the first one's commits. */
const JOIN_MARGIN_MS = 5_000
const RECOVERY_BATCH = 50
/** As long as Stripe's own SDK gives a request. */
const DEADLINE_MS = 80_000

const PROVIDER_RULES = { stripe: STRIPE } as const

export interface GatewayOptions {
  readonly log?: Logger
  /** Wraps each port as it is wired; the fault tests put their knife here. */
  readonly around?: <Port extends object>(name: 'journal' | 'counters' | 'upstream', port: Port) => Port
}

export async function startGateway(config: Config, options: GatewayOptions = {}): Promise<Gateway> {
  const { log = createLog(config), around = (_name, port) => port } = options
  const closers: (() => Promise<unknown>)[] = []
  try {
    return await assemble(config, { log, around }, closers)
  } catch (error) {
    for (const close of closers.reverse()) await close().catch(() => undefined)
    throw error
  }
}

async function assemble(
  config: Config,
  { log, around }: Required<GatewayOptions>,
  closers: (() => Promise<unknown>)[],
): Promise<Gateway> {
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
    openStores(config, { log, around }),
    policies.readFolders().then((found) => (isPolicyRefusal(found) ? found : policies.prepare(found))),
    config.sandbox ? spawnSandbox() : undefined,
  ])
  const { journal, counters, keys } = stores
  closers.push(
    () => journal.close(),
    () => counters.close(),
    async () => sandbox?.close(),
  )
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
  const upstreams = openUpstreams(config, catalogue, credentials, sandbox, { log, around })
  closers.push(() => Promise.all([...upstreams.values()].map((upstream) => upstream.close())))

  const rebuild = createRehydration({ counters, journal })
  const rooms = wire({ gateway_id, config, catalogue, master, stores, policies, upstreams, rebuild, metrics, log })
  for (const organisation of new Set([
    ...(await journal.organisations()),
    ...(await keys.list({})).map((key) => key.organisation),
  ]))
    await rebuild(organisation)

  let draining = false
  const observed = metrics.observe((request: CallRequest) => call(rooms, request))
  const admitting =
    <Input extends unknown[], Output>(work: (...input: Input) => Promise<Output>) =>
    (...input: Input): Promise<Output> =>
      draining ? Promise.reject(new Fault('draining', 'the gateway is shutting down')) : work(...input)

  const readiness = async () => {
    const wrong = async (part: Promise<unknown>) =>
      part.then(
        () => 'ok',
        (error: Error) => `unavailable: ${error.message}`,
      )
    const [audit, spend] = await Promise.all([wrong(journal.ping()), wrong(counters.ping())])
    const ready = !draining && audit === 'ok' && spend === 'ok'
    return {
      ready,
      draining,
      audit,
      counters: spend,
      policy_revision: policies.current().revision,
      policy: history.status(),
      engine: stores.engine,
    }
  }
  // These schemas are the package's own: the tests hold them against the meta-schema, and a start need not.
  const ajv = formats.default(new Ajv2020({ strict: false, validateSchema: false, meta: false }))
  const schemas = { call: schema('call'), vaultKey: schema('vault-key'), config: schema('config') }
  ajv.addSchema(schemas.config)
  const valid = compiledAtFirstUse(ajv, schema('decision-input'))
  const decisions = (asker: Judging['asker'], public_url?: string) => ({
    judge: admitting(judging(rooms, { audit: config.decision_audit, valid, asker })),
    names: operationNames(catalogue),
    readiness,
    public_url,
  })
  const authenticated = (credential: string | null) => authenticate(rooms.findKey, credential, null, rooms.now())
  const service = serviceRoutes({ readiness, metrics: metrics.text, openapi: openApi(schemas) })

  const agent = await listen(
    agentPlane({
      ...decisions(authenticated, config.public_url),
      call: admitting(observed),
      parseJson,
      validEnvelope: ajv.compile(schemas.call),
      surfaceOf: surfaces(catalogue.providers, 'stripe'),
      authenticate: authenticated,
      operationsOf: (key) =>
        catalogue.operations().filter((operation) => !key.providers || key.providers.includes(operation.provider)),
      callRecord: (key, event_id) => callRecord(rooms, key, event_id),
      service,
    }),
    config.host,
    config.port,
  )
  closers.push(() => agent.close())
  const managed = vaultKeys({ keys, journal, counters, master, open: rebuild, now: rooms.now })
  const admin = await listen(
    adminPlane({
      ...decisions(async (credential) => adminRefusal(credential, token.value) ?? null),
      token: token.value,
      parseJson,
      validKey: compiledAtFirstUse(ajv, schemas.vaultKey),
      // The plane has checked the body against schemas/vault-key.json, which is this type.
      keys: { ...managed, create: (request) => managed.create(request as unknown as VaultKeyRequest) },
      onFault: (fault) => log.error(faultOf(fault), 'an admin request failed'),
      storeCredential: async (provider, organisation, secret) => {
        if (!catalogue.provider(provider)) return refuse('unknown_provider', `There is no provider ${provider}.`)
        await journal.append([
          row(
            'credential_stored',
            { event_id: newEventId(), provider },
            { ...(organisation !== null && { organisation }) },
            rooms.now(),
          ),
        ])
        await credentials.put(provider, organisation, secret, rooms.now())
        return undefined
      },
      policies: history,
      reloadPolicy: async () => {
        const reloaded = await history.offer(history.folder, await policies.readFolders())
        return isPolicyRefusal(reloaded) ? refuse('policy_refused', explainPolicyRefusal(reloaded)) : reloaded
      },
      audit: (query) => journal.query(query),
      toLine,
      service,
    }),
    config.host,
    config.admin_port,
  )
  closers.push(() => admin.close())
  const recovery = keepRecovering(rooms, config, metrics, log)
  log.info(
    { agent_port: agent.port, admin_port: admin.port, engine: stores.engine, gateway: rooms.gateway_id },
    'ready',
  )

  return {
    agent_url: `http://${config.host}:${agent.port}`,
    admin_url: `http://${config.host}:${admin.port}`,
    admin_token: token.value,
    admin_token_is_new: token.made,
    policy_revision: policies.current().revision,
    sandbox_url: sandbox?.url,
    async close() {
      draining = true
      await Promise.all([agent.close(), admin.close()])
      while (metrics.inFlight() > 0) await new Promise((wake) => setTimeout(wake, 20))
      await recovery.stop()
      for (const close of closers.reverse()) await close()
      log.info('drained')
    },
  }
}

interface Stores {
  readonly engine: string
  readonly journal: Journal
  readonly counters: Counters
  readonly keys: ReturnType<typeof createKeyStore>
  readonly credentials: ReturnType<typeof createCredentialStore>
  readonly policies: RevisionStore
}

async function openStores(config: Config, { log, around }: Required<GatewayOptions>): Promise<Stores> {
  const opened = config.database_url
    ? openPostgres({ url: config.database_url, log: (message) => log.warn(message) })
    : await openPglite({ dataDir: config.data_dir, preparedFile: PREPARED_DATABASE })
  await migrate(opened.db)
  const counters = config.redis_url ? await redisCounters(config.redis_url, log) : createMemoryCounters()
  return {
    engine: `${opened.engine} + ${config.redis_url ? 'redis' : 'memory'}`,
    journal: around('journal', faultsAs('audit_unavailable', createJournal(opened))),
    keys: faultsAs('audit_unavailable', createKeyStore(opened.db)),
    credentials: faultsAs('audit_unavailable', createCredentialStore(opened.db)),
    policies: faultsAs('audit_unavailable', createRevisionStore(opened.db)),
    counters: around('counters', faultsAs('counters_unavailable', counters)),
  }
}

/** Loaded where it is used: without Redis, no start waits for its client. */
async function redisCounters(url: string, log: Logger): Promise<Counters> {
  const { createRedisCounters } = await import('./store/redis/index.ts')
  return createRedisCounters({ url, log })
}

/** Credentials of the environment are taken where none is stored; the sandbox wants none but its own. */
async function takeCredentials(
  config: Config,
  credentials: CredentialVault,
  sandbox: SandboxProcess | undefined,
): Promise<void> {
  for (const [provider, { credential }] of Object.entries(config.providers)) {
    const secret = credential ?? (sandbox && SANDBOX_CREDENTIAL)
    if (secret && (await credentials.get(provider, '')) === null)
      await credentials.put(provider, null, secret, new Date())
  }
}

const SANDBOX_CREDENTIAL = 'sk_test_sandbox'

function openUpstreams(
  config: Config,
  catalogue: Catalogue,
  credentials: CredentialVault,
  sandbox: SandboxProcess | undefined,
  { log, around }: Required<GatewayOptions>,
): ReadonlyMap<string, Upstream> {
  return new Map(
    catalogue.providers.map(({ name, origin, api_version }) => {
      const own = config.providers[name]
      const deadline_ms = own?.deadline_ms ?? DEADLINE_MS
      // Half of a short deadline, so that there is time for a second attempt.
      const attempt_ms = Math.min(deadline_ms / 2, UPSTREAM_LIMITS.attempt_ms)
      return [
        name,
        around(
          'upstream',
          createUpstream({
            origin: sandbox?.url ?? own?.origin ?? origin,
            rules: PROVIDER_RULES[name as keyof typeof PROVIDER_RULES],
            headers: { 'stripe-version': api_version },
            credential: (organisation) => credentials.get(name, organisation),
            log,
            limits: { attempt_ms, retry_for_ms: deadline_ms - attempt_ms },
          }),
        ),
      ]
    }),
  )
}

interface Parts {
  readonly gateway_id: string
  readonly config: Config
  readonly catalogue: Catalogue
  readonly master: MasterKey
  readonly stores: Stores
  readonly policies: PolicyStore
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly rebuild: (organisation: string, refused?: number) => Promise<void>
  readonly metrics: Metrics
  readonly log: Logger
}

function wire({
  gateway_id,
  config,
  catalogue,
  master,
  stores,
  policies,
  upstreams,
  rebuild,
  metrics,
  log,
}: Parts): Rooms {
  const { journal, counters, keys } = stores
  const deadlines = Object.values(config.providers).map((provider) => provider.deadline_ms)
  return {
    gateway_id,
    catalogue,
    findKey: keyFinder(keys, master),
    journal,
    counters,
    policy: () => policies.current(),
    upstream: (provider) => upstreams.get(provider)!,
    bodies: sealer(master.bodies),
    running: running((event) => journal.call(event)),
    pulse: { at: Date.now() },
    abandoned: new Map(),
    rehydrate: (organisation, refused) => {
      rebuild(organisation, refused).catch((error) =>
        log.error({ organisation, ...faultOf(error) }, 'the counters could not be rebuilt'),
      )
    },
    settings: {
      budgets: config.budgets,
      rates: config.rates,
      repeat: config.repeat,
      silent_ms: config.recovery.silent_ms,
      join_ms: Math.max(...deadlines) + JOIN_MARGIN_MS,
    },
    now: () => new Date(),
    onFault: (event_id, fault) => {
      metrics.faults.inc({ part: fault instanceof Fault ? fault.code : 'internal_fault' })
      log.error({ event_id, ...faultOf(fault) }, 'a part failed')
    },
  }
}

function keepRecovering(rooms: Rooms, config: Config, metrics: Metrics, log: Logger): { stop(): Promise<void> } {
  const { every_ms, silent_ms, unclaimed_ms } = config.recovery
  const settings = { silent_ms, unclaimed_ms, batch: RECOVERY_BATCH }
  let timer: NodeJS.Timeout | undefined
  let pass: Promise<void>
  const run = async () => {
    try {
      const { finished, released } = await recover(rooms, settings)
      metrics.recovered.inc({ kind: 'finished' }, finished)
      metrics.recovered.inc({ kind: 'released' }, released)
      if (finished + released > 0) log.info({ finished, released }, 'recovered')
    } catch (error) {
      log.error(faultOf(error), 'recovery could not run; it will try again')
    }
    timer = setTimeout(() => (pass = run()), every_ms).unref()
  }
  pass = run()
  // Beside the passes: one may wait long for a provider, and the calls of a gateway that is not heard of are taken over.
  let next: NodeJS.Timeout | undefined
  let beat: Promise<void>
  const live = async () => {
    await rooms.journal.heartbeat(rooms.gateway_id).then(
      () => (rooms.pulse.at = Date.now()),
      (error) => log.error(faultOf(error), 'no sign of life'),
    )
    next = setTimeout(() => (beat = live()), every_ms).unref()
  }
  beat = live()
  return {
    async stop() {
      clearTimeout(timer)
      await pass
      clearTimeout(timer)
      clearTimeout(next)
      await beat
      clearTimeout(next)
    },
  }
}

/** Names and messages along the chain of causes. Never a body, never a header. */
function faultOf(error: unknown): { fault: string } {
  const chain: string[] = []
  for (let at = error; at instanceof Error && chain.length < 4; at = at.cause) chain.push(`${at.name}: ${at.message}`)
  return { fault: chain.join(' < ') || 'unknown' }
}

/** A start does not wait for what its first calls may never need. */
function compiledAtFirstUse(ajv: Ajv2020, schema: object): ValidateFunction {
  let compiled: ValidateFunction | undefined
  const valid = (data: unknown): boolean => {
    compiled ??= ajv.compile(schema)
    const fits = compiled(data)
    valid.errors = compiled.errors
    return fits
  }
  valid.errors = undefined as ValidateFunction['errors']
  return valid as ValidateFunction
}

const schema = (name: string): Record<string, unknown> & { $id?: string } =>
  JSON.parse(readFileSync(new URL(`${name}.json`, SCHEMAS_DIR), 'utf8'))

const createLog = (config: Config): Logger =>
  pino({
    level: config.log_level,
    base: null,
    redact: {
      paths: ['*.authorization', '*.credential', '*.secret', '*.vault_key', 'authorization', 'secret'],
      censor: '[redacted]',
    },
  })
