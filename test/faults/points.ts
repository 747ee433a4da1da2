/** The points between two steps of a call, and a knife at each: a call stands still at the one that its run names. */
import type { GatewayOptions } from '../../src/main.ts'
import type { Counters } from '../../src/model/counters.ts'
import type { EventId } from '../../src/model/id.ts'
import type { Intent } from '../../src/model/intent.ts'
import type { Identity, IntentRecord, Journal, OutcomeRecord } from '../../src/model/journal.ts'

/** In the order of the call. */
export const STEPS = ['findTwins', 'reserve', 'commitIntent', 'send', 'commitOutcome', 'settle'] as const
export type Step = (typeof STEPS)[number]
export const MOMENTS = ['before', 'after'] as const
export type Moment = (typeof MOMENTS)[number]

export interface Point {
  readonly step: Step
  readonly moment: Moment
}

export const POINTS: readonly Point[] = STEPS.flatMap((step) => MOMENTS.map((moment) => ({ step, moment })))

/** A run that makes its call stand at this point; `name` tells runs at the same point apart. */
export const runAt = ({ step, moment }: Point, name: string): string => `stand:${moment}:${step}:${name}`

const STAND = /stand:(before|after):([A-Za-z]+):[^\n]*/

/** Wraps the ports so that calls stand where their run says; `standing` hears of each, once it stands. */
export function standingAt(standing: (run: string) => void): NonNullable<GatewayOptions['around']> {
  const runs = new Map<EventId, string>()
  /** The first identity's name bears the run; later steps know the event alone. */
  const runOf = (names: readonly string[], event?: EventId): string | undefined => {
    const run = STAND.exec(names[0] ?? '')?.[0]
    if (run !== undefined && event !== undefined) runs.set(event, run)
    return run
  }
  const knife = async <Result>(step: Step, run: string | undefined, work: () => Promise<Result>): Promise<Result> => {
    const [, moment, at] = (run !== undefined && STAND.exec(run)) || []
    const stand = async (now: Moment): Promise<void> => {
      if (at !== step || moment !== now) return
      standing(run!)
      await new Promise<never>(() => {})
    }
    await stand('before')
    const result = await work()
    await stand('after')
    return result
  }
  const nameOf = ({ name }: Identity) => name

  return ((name: string, port: object) => {
    if (name === 'journal') {
      const journal = port as Journal
      return with_(journal, {
        findTwins: (identities: readonly Identity[]) =>
          knife('findTwins', runOf(identities.map(nameOf)), () => journal.findTwins(identities)),
        commitIntent: (intent: IntentRecord, events: Parameters<Journal['commitIntent']>[1]) =>
          knife('commitIntent', runOf(intent.identities.map(nameOf), intent.event_id), () =>
            journal.commitIntent(intent, events),
          ),
        commitOutcome: (outcome: OutcomeRecord, events: Parameters<Journal['commitOutcome']>[1]) =>
          knife('commitOutcome', runs.get(outcome.event_id), () => journal.commitOutcome(outcome, events)),
      })
    }
    if (name === 'counters') {
      const counters = port as Counters
      return with_(counters, {
        reserve: (admission: Parameters<Counters['reserve']>[0]) =>
          knife('reserve', runOf(admission.identities, admission.event_id), () => counters.reserve(admission)),
        settle: (...input: Parameters<Counters['settle']>) =>
          knife('settle', runs.get(input[1]), () => counters.settle(...input)),
      })
    }
    const upstream = port as { send(intent: Intent): Promise<unknown> }
    return with_(upstream, {
      send: (intent: Intent) => knife('send', runs.get(intent.event_id), () => upstream.send(intent)),
    })
  }) as NonNullable<GatewayOptions['around']>
}

/** The port, some of whose methods are others. */
function with_<Port extends object>(port: Port, methods: Partial<Record<keyof Port, unknown>>): Port {
  return new Proxy(port, {
    get: (target, name) => (name in methods ? methods[name as keyof Port] : Reflect.get(target, name)),
  })
}
