/** The decision alone, as OPA's REST API answers: `POST /v1/data/tool_decision` `{"input": …}` → `{"result": …}`. */
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import type { Decision } from '../model/decision.ts'
import type { EventId } from '../model/id.ts'
import type { JsonObject } from '../model/operation.ts'
import { isRefusal, type Refusal } from '../model/refusal.ts'
import { readBody } from './body.ts'
import { credentialOf } from './credential.ts'
import { problem } from './problem.ts'

export interface OpaDoor {
  readonly parseJson: (body: Buffer) => JsonObject | Refusal
  readonly judge: (
    credential: string | null,
    input: unknown,
  ) => Promise<{ readonly event_id?: EventId; readonly decision: Decision } | Refusal>
}

export function opaDoor({ parseJson, judge }: OpaDoor): Hono<{ Bindings: HttpBindings }> {
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.post('/v1/data/tool_decision', async (c) => {
    const { incoming } = c.env
    const body = await readBody(incoming)
    const tree = isRefusal(body) ? body : parseJson(body)
    if (isRefusal(tree)) return problem(tree)
    const judged = await judge(credentialOf(incoming.headers.authorization), tree.input)
    if (isRefusal(judged)) return problem(judged)
    const { event_id, decision } = judged
    return new Response(JSON.stringify({ ...(event_id && { decision_id: event_id }), result: decision }), {
      headers: {
        'content-type': 'application/json',
        'countersign-decision': decision.decision,
        ...(event_id && { 'countersign-event-id': event_id }),
      },
    })
  })
  return app
}
