/** Compiled by `types.test.ts`, never run: each line must compile, or must not where it says so. */
import {
  type CallResult,
  type Catalogue,
  Countersign,
  type Json,
  type ParamsOf,
} from '../../../sdk/typescript/src/index.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_: Same<A, B>): void => {}

interface Refund {
  readonly id: string
}

const agent = new Countersign()

// Known operations check their params.
const refund = await agent.callProvider('stripe', 'create_refund', { charge: 'ch_123', amount: 500 })
await agent.callProvider('stripe', 'list_customers', {})
await agent.callProvider({ provider: 'stripe', operation: 'create_refund', params: { charge: 'ch_123' }, callId: 'a' })
// @ts-expect-error an amount is a number
await agent.callProvider('stripe', 'create_refund', { charge: 'ch_123', amount: '500' })
// @ts-expect-error a misspelt param
await agent.callProvider('stripe', 'create_refund', { chrage: 'ch_123' })
// @ts-expect-error params are not optional
await agent.callProvider('stripe', 'create_refund')
// @ts-expect-error by name, the params are checked as well
await agent.callProvider({ provider: 'stripe', operation: 'create_refund', params: { amount: '500' } })
// @ts-expect-error a misspelt option
await agent.callProvider('stripe', 'create_refund', {}, { callID: 'a' })

// Names complete: the known ones are part of the type.
same<ParamsOf<'stripe', 'create_refund'>, Catalogue['stripe']['create_refund']>(true)

// What the catalogue does not know takes any JSON object.
declare const name: string
await agent.callProvider('stripe', 'brand_new_operation', { anything: [1, { goes: true }] })
await agent.callProvider('acme', 'make_coffee', { sugar: 2 })
await agent.callProvider(name, name, { sugar: 2 })
await agent.callProvider('stripe', name, { sugar: 2 })
await agent.callProvider({ provider: 'acme', operation: 'make_coffee', params: { sugar: 2 } })
// @ts-expect-error a function is no JSON
await agent.callProvider('acme', 'make_coffee', { sugar: () => 2 })
// @ts-expect-error params are an object
await agent.callProvider('acme', 'make_coffee', 'black')

// Data is JSON unless a type argument says what it is; the params are checked all the same.
same<typeof refund.data, Json>(true)
const typed = await agent.callProvider<Refund>('stripe', 'create_refund', { charge: 'ch_123' })
same<typeof typed, CallResult<Refund>>(true)
const named = await agent.callProvider<Refund>({ provider: 'stripe', operation: 'create_refund', params: {} })
same<typeof named.data, Refund>(true)
const other = await agent.callProvider<string, string, Refund>('acme', 'make_coffee', { sugar: 2 })
same<typeof other.data, Refund>(true)
// @ts-expect-error an amount is a number
await agent.callProvider<Refund>('stripe', 'create_refund', { amount: '500' })
const annotated: CallResult<Refund> = await agent.callProvider('stripe', 'create_refund', { charge: 'ch_123' })
same<typeof annotated.data, Refund>(true)
