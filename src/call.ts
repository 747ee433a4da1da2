/**
 * The path of one call, top to bottom. Every door (by name, drop-in, dry run) comes through here, and every early return
 * is a refusal, a replay or a dry run. Each step's result is a type of its own that only that step makes: `send` takes an
 * `Intent`, and only `commitIntent` makes one. The client may hang up at any time: the story does not know, and ends.
 */
import { alertRow, commitIntent, denialRow, type Known, row } from './audit/index.ts'
import { encode } from './forward/index.ts'
import { authenticate } from './identity/index.ts'
import type { CallRequest, Reply } from './model/call.ts'
import { defined } from './model/defined.ts'
import { Fault } from './model/fault.ts'
import { type EventId, newEventId } from './model/id.ts'
import { isRefusal, type Refusal, refuse } from './model/refusal.ts'
import { heldBy } from './model/reservation.ts'
import { claimed, linesOwed, redacted } from './obligations.ts'
import { type CallIdentity, identify, judgeTwins } from './replay/index.ts'
import type { Rooms } from './rooms.ts'
import { cappedRefusal } from './spend/index.ts'
import * as step from './steps/index.ts'

/**
 * A twin whose first came to nothing starts anew; after so many times it is told to come back. Where the first died with
 * its claim each time is a second, which outlasts the default after which recovery gives the claim up.
 */
const ATTEMPTS_MAX = 20

export async function call(rooms: Rooms, request: CallRequest, attempt = 1): Promise<Reply> {
  const { catalogue, journal, counters, settings, now } = rooms
  const event_id = newEventId()
  let known: Known = { event_id, ...step.namesOf(request) }
  let stage = 'judging' as 'judging' | 'reserving' | 'sent'

  const refused = async (refusal: Refusal): Promise<Reply> => {
    await journal.append([denialRow(known, refusal, now())])
    return { kind: 'refused', event_id, refusal, ...defined({ operation: known.operation }) }
  }
  const again = () =>
    attempt < ATTEMPTS_MAX
      ? call(rooms, request, attempt + 1)
      : refused(refuse('call_in_flight', `The first call of this kind came to nothing ${attempt} times.`))

  const joined = async (identity: CallIdentity, first: EventId): Promise<Reply> => {
    const reply = await step.join(rooms, known, identity, first)
    if (reply === null) return again()
    return isRefusal(reply) ? refused(reply) : reply
  }

  try {
    const key = await authenticate(rooms.findKey, request.credential, request.provider, now())
    if (isRefusal(key)) return await refused(key)
    known = { ...known, key, ...defined({ run: key.run }) }

    const run = step.runOf(key, request)
    if (isRefusal(run)) return await refused(run)
    known = { ...known, ...run }

    const asked = step.resolve(catalogue, request)
    if (isRefusal(asked)) return await refused(asked)
    const { operation } = asked
    known = { ...known, operation }

    const params = catalogue.validate(operation, asked.params)
    if (isRefusal(params)) return await refused(params)
    known = { ...known, params: catalogue.redact(operation, params) }

    const identity = identify(
      key,
      operation,
      params,
      { ...step.namesOf(request), ...run },
      step.repeatOf(settings.repeat, key, operation),
    )
    const repeatable = request.dry_run ? [] : identity.identities
    // A repeat needs neither a look-up nor a budget. Where its budgets stand may be asked meanwhile, a provider may not.
    const twins = journal.findTwins(repeatable)
    const asking = catalogue.nextLookup(operation, params, {})
      ? undefined
      : step.situate(rooms, known, operation, params)
    asking?.catch(() => {})
    const prior = judgeTwins(identity, await twins)
    if (isRefusal(prior)) return await refused(prior)
    if (prior.kind === 'twin') return await joined(identity, prior.event_id)

    const situation = await (asking ?? step.situate(rooms, known, operation, params))
    if (isRefusal(situation)) return await refused(situation)
    const { facts, lines, spend } = situation
    known = { ...known, facts: step.recordable(facts) }
    const guarded = catalogue.guarded(operation, params)
    const decision = step.decide(rooms.policy(), { known, operation, params, guarded, facts, spend, time: now() })
    known = { ...known, spend, decision, params: redacted(catalogue, operation, params, decision) }
    if (decision.decision !== 'allow') return await refused(step.denial(decision))
    if (isRefusal(lines)) return await refused(lines)
    if (operation.cost === 'amount' && !facts.amount) return await refused(step.priceUnknown(operation))
    const owed = linesOwed(settings, known, facts, decision, now())
    if (isRefusal(owed)) return await refused(owed)

    if (request.dry_run) {
      const own = step.overCap(lines, spend)
      const over = own ?? step.overCap(owed, await step.spendFacts(counters, key.organisation, owed))
      if (over) return await refused(over)
      await journal.append([row('decision', known, { tags: { ...decision.obligations.tags, dry_run: 'true' } }, now())])
      return { kind: 'judged', event_id, operation, decision, ...step.costOf(facts) }
    }

    const wire = encode(operation, params, catalogue.provider(operation.provider)!.encoding)
    if (isRefusal(wire)) return await refused(wire)

    stage = 'reserving'
    const claim = claimed(identity, decision)
    const drawn = [...lines, ...owed].filter((line) => line.amount > 0)
    const reservation = await step.reserve(counters, key.organisation, event_id, claim, drawn)
    if (reservation.kind !== 'reserved') stage = 'judging'
    if (reservation.kind === 'twin') return await joined(identity, reservation.event_id)
    if (reservation.kind === 'capped') return await refused(cappedRefusal(reservation.line, reservation.state))
    if (reservation.kind === 'fenced') return await refused(step.rehydrating(rooms, key.organisation))

    return await rooms.running.track(event_id, async () => {
      const rows = [row('decision', known, {}, now()), ...reservation.alerts.map((a) => alertRow(known, a, now()))]
      const intent = await commitIntent(
        journal,
        {
          event_id,
          organisation: key.organisation,
          key_id: key.id,
          operation,
          request: wire,
          gateway_id: rooms.gateway_id,
          identities: claim.identities,
          held: heldBy(drawn),
          generation: reservation.generation,
          sealed_request: step.sealRequest(rooms.bodies, event_id, wire),
        },
        rows,
      )
      if ('kind' in intent) {
        await counters.settle(key.organisation, event_id, [], 0)
        stage = 'judging'
        if (intent.kind === 'fenced') return refused(step.rehydrating(rooms, key.organisation, reservation.generation))
        return joined(identity, intent.event_id)
      }

      stage = 'sent'
      const outcome = step.sureOf(rooms, await rooms.upstream(operation.provider).send(intent))
      const ended = await step.finish(rooms, known, intent, outcome, heldBy(drawn), claim.identities)
      return ended ? step.replyTo(event_id, operation, outcome, facts) : step.recorded(rooms, operation, event_id)
    })
  } catch (fault) {
    rooms.onFault(event_id, fault)
    // A step that failed may still have worked: recovery finds out, and ends the call either way.
    if (stage !== 'judging') rooms.abandoned.set(event_id, known.key!.organisation)
    const code = stage === 'sent' ? 'outcome_unknown' : fault instanceof Fault ? fault.code : 'internal_fault'
    return step.faulted(rooms, known, code)
  }
}
