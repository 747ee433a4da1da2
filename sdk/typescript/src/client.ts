/** The client that an agent holds. Its calls go to the gateway only, under a vault key; the provider's key is nowhere near. */
import { canBeGranted, requestAccess } from './access.ts'
import { CountersignError, DeniedError } from './errors.ts'
import { present } from './json.ts'
import { operationsOf, type Reply, recordOf, replyOf } from './reply.ts'
import { repeat } from './retry.ts'
import { type CountersignOptions, readSettings, type Settings } from './settings.ts'
import { type Answer, exchange, type Request } from './transport.ts'
import type {
  CallOptions,
  CallRecord,
  CallResult,
  Json,
  JsonObject,
  KnownCall,
  NamedCall,
  NoCall,
  Operation,
  OperationName,
  ParamsOf,
  ProviderName,
} from './types.ts'
import { isOpen, waitForEnd } from './wait.ts'

/** What either form of `callProvider` was given. */
interface Given extends CallOptions {
  readonly provider: string
  readonly operation: string | undefined
  readonly params: object | undefined
}

/** One call, as both forms of `callProvider` mean it. */
interface Call extends CallOptions {
  readonly provider: string
  readonly operation: string
  readonly params: JsonObject
  readonly callId: string
}

export class Countersign {
  readonly #settings: Settings

  /** Throws an `AuthenticationError` or a `CountersignError` at once where something is missing or is not what it should be. */
  constructor(options: CountersignOptions = {}) {
    this.#settings = readSettings(options)
  }

  /** With a type argument for `data`; names and params are those of the catalogue. */
  callProvider<Data = never>(...call: [Data] extends [never] ? NoCall : KnownCall): Promise<CallResult<Data>>
  /** The same call, by name. */
  callProvider<Provider extends ProviderName, Name extends OperationName<Provider>, Data = Json>(
    call: NamedCall<Provider, Name>,
  ): Promise<CallResult<Data>>
  /**
   * Makes one call through the gateway. However often it is sent, it is one call with one audit event.
   * Throws `DeniedError`, `BudgetExceededError`, `HeldError`, `ConflictError`, `UnknownOutcomeError`, `ProviderError`,
   * `AuthenticationError`, `UnavailableError` or, for what the gateway cannot read, `CountersignError`; once `signal`
   * is aborted, its reason.
   */
  callProvider<Provider extends ProviderName, Name extends OperationName<Provider>, Data = Json>(
    provider: Provider,
    operation: Name,
    params: ParamsOf<Provider, Name>,
    options?: CallOptions,
  ): Promise<CallResult<Data>>
  async callProvider(
    first: string | Given,
    operation?: string,
    params?: object,
    options?: CallOptions,
  ): Promise<CallResult> {
    const named = typeof first === 'string' ? { ...options, provider: first, operation, params } : first
    const reply = await this.#perform(readCall(named))
    if (reply instanceof CountersignError) throw reply
    return reply
  }

  /** What this vault key may call, with the schemas of the params. */
  async operations(options: { readonly signal?: AbortSignal } = {}): Promise<readonly Operation[]> {
    const list = await this.#operations(options.signal)
    if (list instanceof CountersignError) throw list
    return list
  }

  /** One call of this key as it is recorded, and how far it has come. */
  async call(eventId: string, options: { readonly signal?: AbortSignal } = {}): Promise<CallRecord> {
    const record = await this.#record(eventId, this.#settings.timeoutMs, options.signal)
    if (record instanceof CountersignError) throw record
    return record
  }

  async #perform(call: Call): Promise<Reply> {
    let reply = await this.#send(call)
    const until = performance.now() + (call.waitMs ?? 0)
    if (reply instanceof DeniedError && call.onDenied === 'request-access' && !call.dryRun && canBeGranted(reply)) {
      const denied = await this.#requestAccess(call, reply, until)
      if (denied !== undefined) return denied
      reply = await this.#send(call)
    }
    while (isOpen(reply)) {
      const end = await waitForEnd(
        reply,
        (eventId, timeoutMs) => this.#record(eventId, timeoutMs, call.signal),
        until,
        call.signal,
      )
      if (end !== 'again') return end
      reply = await this.#send(call)
    }
    return reply
  }

  #send(call: Call): Promise<Reply> {
    const request: Request = {
      method: 'POST',
      path: `/v1/providers/${call.provider}/operations/${call.operation}`,
      body: present({
        params: call.params,
        call_id: call.callId,
        occurrence: call.occurrence,
        run: this.#settings.run,
        turn: call.turn,
        correlation_id: call.correlationId,
        dry_run: call.dryRun,
      }),
    }
    return repeat<CallResult>({
      send: (timeoutMs) => exchange(this.#settings, request, timeoutMs, call.signal),
      read: (answer) => replyOf(answer, call.callId),
      timeoutMs: this.#settings.timeoutMs,
      maxRetries: this.#settings.maxRetries,
      callId: call.callId,
      signal: call.signal,
    })
  }

  /** A request that has no effect at a provider. */
  #ask<Value extends object>(
    request: Request,
    read: (answer: Answer) => Value | CountersignError,
    limits: { readonly timeoutMs?: number; readonly maxRetries?: number } = {},
    signal?: AbortSignal,
  ): Promise<Value | CountersignError> {
    return repeat<Value>({
      send: (timeoutMs) => exchange(this.#settings, request, timeoutMs, signal),
      read,
      timeoutMs: limits.timeoutMs ?? this.#settings.timeoutMs,
      maxRetries: limits.maxRetries ?? this.#settings.maxRetries,
      signal,
    })
  }

  #operations(signal?: AbortSignal): Promise<readonly Operation[] | CountersignError> {
    return this.#ask({ method: 'GET', path: '/v1/operations' }, operationsOf, {}, signal)
  }

  #record(eventId: string, timeoutMs: number, signal?: AbortSignal): Promise<CallRecord | CountersignError> {
    const path = `/v1/calls/${encodeURIComponent(eventId)}`
    return this.#ask({ method: 'GET', path }, recordOf, { timeoutMs }, signal)
  }

  async #requestAccess(call: Call, denied: DeniedError, until: number): Promise<DeniedError | undefined> {
    const { signal, accessRequest: wanted = {} } = call
    const listed = await this.#operations(signal)
    const operation =
      listed instanceof CountersignError
        ? undefined
        : listed.find(({ provider, operation: name }) => provider === call.provider && name === call.operation)
    return requestAccess({
      denied,
      service: call.provider,
      // The operation's name is a name that grants understand as well.
      action: wanted.action ?? operation?.action ?? call.operation,
      resource: wanted.resource ?? operation?.resource,
      wanted,
      ask: (request, read, limits) => this.#ask(request, read, limits, signal),
      timeoutMs: this.#settings.timeoutMs,
      until,
      signal,
    })
  }
}

/** Names go into the path as they are, so they must be plain. */
const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*$/

function readCall(given: Given): Call {
  const { provider, operation = '', params = {}, callId = crypto.randomUUID() } = given
  for (const [what, name] of [
    ['a provider', provider],
    ['an operation', operation],
  ] as const) {
    if (PLAIN_NAME.test(name)) continue
    throw new CountersignError({
      code: 'malformed_request',
      detail: `'${name}' is not the name of ${what}.`,
      fix: "Call as callProvider('stripe', 'create_refund', { … }); operations() lists the names.",
    })
  }
  return { ...given, provider, operation, params: params as JsonObject, callId }
}
