/** The two planes, each on a listener of its own: what goes in at their doors, and which part answers. */
import type { Logger } from 'pino'
import { toLine } from '../audit/index.ts'
import { call } from '../call.ts'
import { callRecord } from '../call-record.ts'
import { parseJson } from '../catalogue/index.ts'
import type { Config } from '../config.ts'
import { authenticate, type CredentialVault, type MasterKey, type VaultKeyRequest } from '../identity/index.ts'
import { type Judging, judging, operationNames } from '../judge.ts'
import type { CallRequest } from '../model/call.ts'
import { refuse } from '../model/refusal.ts'
import { explainPolicyRefusal, isPolicyRefusal, type PolicyStore } from '../policy/index.ts'
import type { revisions } from '../revisions/index.ts'
import type { Rooms } from '../rooms.ts'
import {
  adminPlane,
  adminRefusal,
  agentPlane,
  type Listener,
  listen,
  type Metrics,
  openApi,
  serviceRoutes,
  surfaces,
} from '../server/index.ts'
import { vaultKeys } from '../vault-keys.ts'
import { credentialKeeper } from './credentials.ts'
import type { Gate } from './gate.ts'
import { faultOf } from './log.ts'
import { readinessOf } from './readiness.ts'
import type { Stores } from './stores.ts'
import { createValidators } from './validators.ts'

interface Parts {
  readonly config: Config
  readonly rooms: Rooms
  readonly stores: Stores
  readonly master: MasterKey
  readonly credentials: CredentialVault
  readonly policies: PolicyStore
  readonly history: ReturnType<typeof revisions>
  readonly rebuild: (organisation: string) => Promise<void>
  readonly gate: Gate
  readonly admin_token: string
  readonly metrics: Metrics
  readonly log: Logger
}

interface Doors {
  openAgentPlane(): Promise<Listener>
  openAdminPlane(): Promise<Listener>
}

export function doorsOf({
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
}: Parts): Doors {
  const { catalogue, journal, counters, now } = rooms
  const readiness = readinessOf({ gate, stores, policies, history })
  const { schemas, ...valid } = createValidators()
  const service = serviceRoutes({ readiness, metrics: metrics.text, openapi: openApi(schemas) })
  const authenticated = (credential: string | null) => authenticate(rooms.findKey, credential, null, now())
  const decisions = (asker: Judging['asker'], public_url?: string) => ({
    judge: gate.admitting(judging(rooms, { audit: config.decision_audit, valid: valid.decisionInput, asker })),
    names: operationNames(catalogue),
    readiness,
    public_url,
  })

  return {
    openAgentPlane() {
      const plane = agentPlane({
        ...decisions(authenticated, config.public_url),
        call: gate.admitting(metrics.observe((request: CallRequest) => call(rooms, request))),
        parseJson,
        validEnvelope: valid.call,
        surfaceOf: surfaces(catalogue.providers, 'stripe'),
        authenticate: authenticated,
        operationsOf: (key) =>
          catalogue.operations().filter((operation) => !key.providers || key.providers.includes(operation.provider)),
        callRecord: (key, event_id) => callRecord(rooms, key, event_id),
        service,
      })
      return listen(plane, config.host, config.port)
    },

    openAdminPlane() {
      const keys = vaultKeys({ keys: stores.keys, journal, counters, master, open: rebuild, now })
      const plane = adminPlane({
        ...decisions(async (credential) => adminRefusal(credential, admin_token) ?? null),
        token: admin_token,
        parseJson,
        validKey: valid.vaultKey,
        // The plane has checked the body against schemas/vault-key.json, which is this type.
        keys: { ...keys, create: (request) => keys.create(request as unknown as VaultKeyRequest) },
        onFault: (fault) => log.error(faultOf(fault), 'an admin request failed'),
        storeCredential: credentialKeeper(catalogue, journal, credentials),
        policies: history,
        reloadPolicy: async () => {
          const reloaded = await history.offer(history.folder, await policies.readFolders())
          return isPolicyRefusal(reloaded) ? refuse('policy_refused', explainPolicyRefusal(reloaded)) : reloaded
        },
        audit: (query) => journal.query(query),
        toLine,
        service,
      })
      return listen(plane, config.host, config.admin_port)
    },
  }
}
