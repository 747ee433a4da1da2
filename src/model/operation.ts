/** What the catalogue knows of one operation of one provider. */

export type Effect = 'read' | 'write'
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type JsonSchema = { readonly [keyword: string]: unknown }
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

export interface Operation {
  readonly provider: string
  /** `create_refund`; unique within its provider. */
  readonly name: string
  readonly aliases: readonly string[]
  /** The operation group: `read`, `payments.refund`, … */
  readonly group: string
  readonly effect: Effect
  /** `stripe:refunds:create`: the name that grants and audit lines use. */
  readonly action: string
  /** `stripe.com/v1/refunds` */
  readonly resource: string
  readonly method: Method
  /** Template with `{name}` for each path parameter, as `/v1/charges/{charge}`. */
  readonly path: string
  readonly pathParams: readonly string[]
  /** JSON Schema (2020-12) of all params, those of the path included, as one object. */
  readonly params: JsonSchema
  readonly summary: string
  /** What the call costs: the money it moves, or nothing. A costed write whose amount cannot be known is refused. */
  readonly cost: 'amount' | 'none'
  /** Dotted pointers into the answer, to what really moved. Absent where the answer does not say it. */
  readonly actual?: { readonly value: string; readonly currency: string }
  /**
   * `keyed`: a repeat under the same idempotency key has one effect. `natural`: a repeat is harmless by itself (GET, DELETE).
   * `never`: a repeat may act twice, so a call whose outcome is unknown waits for evidence.
   */
  readonly retry: 'keyed' | 'natural' | 'never'
  /** Dotted pointers into params and answers that audit lines and logs must not show. `*` is any key or index. */
  readonly redact: readonly string[]
}

declare const validated: unique symbol
/** Params that passed the operation's schema, as one parsed tree: what policy sees is what is sent. */
export type Params = JsonObject & { readonly [validated]: true }

/** A read of another object that an operation names, made before policy judges. */
export interface Lookup {
  /** The name under which the answer is put before `facts`. */
  readonly as: string
  readonly path: string
}

/** What the call really is about, after enrichment. */
export interface Facts {
  readonly amount?: { readonly value: number; readonly currency: string }
  readonly customer?: string
}
