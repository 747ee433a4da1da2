/** Plays one case of counters.cases.yaml against a store. */
import { expect } from 'vitest'
import type { BudgetLine, Held } from '../../src/model/budget.ts'
import type { Counters } from '../../src/model/counters.ts'
import { Fault } from '../../src/model/fault.ts'
import type { EventId } from '../../src/model/id.ts'

export interface Case {
  readonly name: string
  readonly fenced?: boolean
  readonly steps: readonly Step[]
}

interface Line {
  readonly on: string
  readonly amount: number
  readonly cap: number
  readonly window?: BudgetLine['window']
  readonly alerts?: readonly number[]
  readonly ends_at?: string
}

type Step = { readonly fails?: string } & (
  | {
      readonly reserve: string
      readonly lines: readonly Line[]
      readonly identities?: readonly string[]
      readonly gives?: string
      readonly alerts?: readonly number[]
      readonly generation?: number
    }
  | {
      readonly settle: string
      readonly spent?: Readonly<Record<string, number>>
      readonly keep_ms?: number
      readonly gives?: string
    }
  | { readonly read: string | Readonly<Record<string, readonly [number, number]>>; readonly gives?: 'fenced' }
  | {
      readonly stale: number
      readonly held: Readonly<Record<string, Readonly<Record<string, number>>>>
      readonly identities?: Readonly<Record<string, readonly string[]>>
    }
  | { readonly start: number; readonly gives: string }
  | {
      readonly rehydrate: number
      readonly states?: Readonly<Record<string, readonly [number, number]>>
      readonly open?: Readonly<
        Record<string, { readonly held: Readonly<Record<string, number>>; readonly identities?: readonly string[] }>
      >
    }
  | { readonly wait_ms: number }
)

/** `e1` → a UUIDv7 that ends in 1. */
export const event = (name: string): EventId =>
  `01976a5c-0000-7000-8000-${name.replace(/^e/, '').padStart(12, '0')}` as EventId
const named = (id: EventId): string => `e${Number(id.slice(-12))}`

export const line = ({ on, amount, cap, window = 'lifetime', alerts = [50, 80, 100], ends_at }: Line): BudgetLine => ({
  counter: on,
  budget: `budget on ${on}`,
  scope: 'key',
  window,
  cap,
  currency: 'usd',
  amount,
  alerts,
  ...(ends_at === undefined ? {} : { ends_at }),
})

const held = (amounts: Readonly<Record<string, number>>): readonly Held[] =>
  Object.entries(amounts).map(([counter, amount]) => ({ counter, amount }))

export async function play(counters: Counters, organisation: string, { fenced, steps }: Case): Promise<void> {
  if (!fenced) {
    expect(await counters.startRehydration(organisation, 0, 5000)).toBe('yours')
    await counters.rehydrate(organisation, 1, [], [])
  }
  for (const [i, step] of steps.entries()) {
    const done = playStep(counters, organisation, step, `step ${i + 1}: ${JSON.stringify(step)}`)
    if (step.fails === undefined) await done
    else await expect(done).rejects.toThrow(step.fails)
  }
}

async function playStep(counters: Counters, organisation: string, step: Step, where: string): Promise<void> {
  if ('reserve' in step) {
    const answer = await counters.reserve({
      organisation,
      event_id: event(step.reserve),
      identities: step.identities ?? [],
      lines: step.lines.map(line),
    })
    const said =
      answer.kind === 'twin'
        ? `twin of ${named(answer.event_id)}`
        : answer.kind === 'capped'
          ? `capped on ${answer.line.counter} at ${answer.state.spent}+${answer.state.reserved}`
          : answer.kind
    expect(said, where).toBe(step.gives)
    if (answer.kind !== 'reserved') return
    if (step.alerts !== undefined)
      expect(
        answer.alerts.map(({ percent }) => percent),
        where,
      ).toEqual(step.alerts)
    if (step.generation !== undefined) expect(answer.generation, where).toBe(step.generation)
    return
  }
  if ('settle' in step) {
    const moved = await counters.settle(organisation, event(step.settle), held(step.spent ?? {}), step.keep_ms ?? 0)
    expect(moved ? 'moved' : 'nothing there', where).toBe(step.gives)
    return
  }
  if ('read' in step) {
    if (typeof step.read === 'string') {
      const fault = await counters.read(organisation, [step.read]).catch((error: unknown) => error)
      expect(fault instanceof Fault && fault.code, where).toBe('counters_rehydrating')
      return
    }
    const states = await counters.read(organisation, Object.keys(step.read))
    expect(Object.fromEntries(states.map((state) => [state.counter, [state.spent, state.reserved]])), where).toEqual(
      step.read,
    )
    return
  }
  if ('stale' in step) {
    const found = await counters.stale(organisation, step.stale)
    const byEvent = found.map((open) => [
      named(open.event_id),
      Object.fromEntries(open.held.map(({ counter, amount }) => [counter, amount])),
    ])
    expect(Object.fromEntries(byEvent), where).toEqual(step.held)
    if (step.identities !== undefined) {
      expect(Object.fromEntries(found.map((open) => [named(open.event_id), open.identities])), where).toEqual(
        step.identities,
      )
    }
    return
  }
  if ('start' in step) {
    expect(await counters.startRehydration(organisation, step.start, 5000), where).toBe(step.gives)
    return
  }
  if ('rehydrate' in step) {
    await counters.rehydrate(
      organisation,
      step.rehydrate,
      Object.entries(step.states ?? {}).map(([counter, [spent, reserved]]) => ({ counter, spent, reserved })),
      Object.entries(step.open ?? {}).map(([name, open]) => ({
        event_id: event(name),
        held: held(open.held),
        identities: open.identities ?? [],
      })),
    )
    return
  }
  if ('wait_ms' in step) {
    await new Promise((resume) => setTimeout(resume, step.wait_ms))
    return
  }
  throw new Error(`no such ${where}`)
}
