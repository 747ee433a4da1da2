/** Two lines of set-up, and a provider's operations are calls that policy decides and the audit records. */
export { Countersign } from './client.ts'
export {
  AuthenticationError,
  BudgetExceededError,
  ConflictError,
  CountersignError,
  DeniedError,
  HeldError,
  ProviderError,
  UnavailableError,
  UnknownOutcomeError,
} from './errors.ts'
export type { CountersignOptions } from './settings.ts'
export type {
  AccessRequestOptions,
  CallOptions,
  CallRecord,
  CallResult,
  CallState,
  Catalogue,
  Cost,
  Decision,
  Json,
  JsonObject,
  NamedCall,
  Operation,
  ParamsOf,
  Reason,
} from './types.ts'
