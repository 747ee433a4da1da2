/** The names under which a call is unique. */
import { hash } from 'node:crypto'
import type { RepeatMode, VaultKey } from '../model/agent.ts'
import { canonicalJson } from '../model/canonical.ts'
import type { Identity } from '../model/journal.ts'
import type { Operation, Params } from '../model/operation.ts'

export interface CallIdentity {
  readonly call_id?: string
  readonly occurrence: number
  readonly run?: string
  readonly mode: RepeatMode
  readonly identities: readonly Identity[]
}

/** What the caller said of the call, beside its params. */
export interface CallNames {
  readonly call_id?: string
  readonly occurrence: number
  readonly run?: string
}

/**
 * A call id is unique for ever within its run, or within its key where no run is given. A write's fingerprint, SHA-256
 * over provider, operation, params and occurrence, is unique there within the window.
 */
export function identify(
  key: VaultKey,
  operation: Operation,
  params: Params,
  names: CallNames,
  repeat: { readonly mode: RepeatMode; readonly window_s: number },
): CallIdentity {
  const { call_id, occurrence, run } = names
  const said = canonicalJson([operation.provider, operation.name, params, occurrence])
  const digest = hash('sha256', said, 'base64url')
  const within = `${key.organisation}\n${run === undefined ? `key=${key.id}` : `run=${run}`}`
  const identities: Identity[] = []
  if (call_id !== undefined) identities.push({ kind: 'call_id', name: `${within}\ncall=${call_id}`, digest })
  if (operation.effect === 'write' && repeat.mode !== 'off')
    identities.push({
      kind: 'fingerprint',
      name: `${within}\nfingerprint=${digest}`,
      digest,
      window_s: repeat.window_s,
    })
  return { ...names, mode: repeat.mode, identities }
}
