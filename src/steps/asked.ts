/** What was asked for: the call's names, its run, its operation and params. Refuses what cannot be told for certain. */
import { type Catalogue, parseForm, redactText } from '../catalogue/index.ts'
import type { RepeatMode, VaultKey } from '../model/agent.ts'
import type { CallRequest, RouteTarget } from '../model/call.ts'
import { defined } from '../model/defined.ts'
import type { Operation } from '../model/operation.ts'
import { isRefusal, type Refusal, refuse } from '../model/refusal.ts'
import type { RepeatSettings } from '../rooms.ts'

export const namesOf = ({ provider, target, occurrence, call_id, turn, correlation_id }: CallRequest) => ({
  provider,
  asked: legible('operation' in target ? target.operation : `${target.method} ${target.path}`),
  occurrence: occurrence ?? 1,
  ...defined({ call_id, turn, correlation_id }),
})

/** What a stranger wrote, for a row: bounded, without a secret, and without what a terminal would obey or a database refuse. */
const legible = (text: string): string => redactText(text.slice(0, 200)).replace(/\p{C}/gu, '\ufffd')

/** A key that is bound to a run speaks for that run alone: else an agent could leave its budgets and its past behind. */
export function runOf(key: VaultKey, request: CallRequest): { run?: string } | Refusal {
  if (key.run !== undefined && request.run !== undefined && request.run !== key.run)
    return refuse('run_mismatch', `The key ${key.id} belongs to run ${key.run}; the call says run ${request.run}.`)
  return defined({ run: key.run ?? request.run })
}

export function resolve(
  catalogue: Catalogue,
  request: CallRequest,
): { operation: Operation; params: unknown } | Refusal {
  const { provider, target } = request
  if ('operation' in target) {
    const operation = catalogue.resolve(provider, target.operation)
    if (isRefusal(operation)) return operation
    return isRefusal(target.params) ? target.params : { operation, params: target.params }
  }
  if (isRefusal(target.body)) return target.body
  const route = catalogue.resolveRoute(provider, target.method, target.path)
  if (isRefusal(route)) return route
  const { operation, pathParams } = route
  const params = paramsOf(target, target.body, operation, pathParams)
  return isRefusal(params) ? params : { operation, params }
}

/** Params come in one place: the query for GET, the body for POST, either for DELETE. Two places could contradict. */
function paramsOf(
  { method, query, content_type }: RouteTarget,
  body: Buffer,
  operation: Operation,
  pathParams: Readonly<Record<string, string>>,
): unknown {
  if (body.length === 0) {
    if (method === 'POST' && query !== '')
      return refuse('malformed_request', 'A POST carries its params in the body, and this one has a query.')
    return parseForm(query, operation, pathParams)
  }
  if (method === 'GET')
    return refuse('malformed_request', 'A GET carries its params in the query, and this one has a body.')
  if (query !== '') return refuse('malformed_request', 'The params are partly in the query and partly in the body.')
  if (content_type?.split(';')[0]?.trim().toLowerCase() !== 'application/x-www-form-urlencoded')
    return refuse('malformed_request', 'The body is not declared as application/x-www-form-urlencoded.')
  return parseForm(body, operation, pathParams)
}

export function repeatOf(
  repeat: RepeatSettings,
  key: VaultKey,
  operation: Operation,
): { mode: RepeatMode; window_s: number } {
  const group = repeat.groups[operation.group]
  return { mode: key.repeat ?? group?.mode ?? repeat.mode, window_s: group?.window_s ?? repeat.window_s }
}
