/** An agent that makes calls by name, and remembers what it heard of each. */

export interface Asked {
  readonly run: string
  readonly call_id?: string
  readonly occurrence?: number
  readonly operation?: string
  readonly params?: Readonly<Record<string, unknown>>
}

/** Status 0: the connection broke before an answer came. */
export interface Heard {
  readonly asked: Asked
  readonly status: number
  /** The problem's code; absent where the provider answered. */
  readonly code?: string
  readonly event_id?: string
  readonly replayed?: boolean
  // biome-ignore lint/suspicious/noExplicitAny: the provider's answer, read field by field in assertions
  readonly data?: any
}

export interface Agent {
  call(agent_url: string, asked: Asked): Promise<Heard>
  /** The same call until it is answered by the provider, or refused for good. */
  insist(agent_url: string | (() => string), asked: Asked, within_ms?: number): Promise<Heard>
  /** Everything heard so far. */
  readonly heard: readonly Heard[]
}

export const charge = (amount: number): Pick<Asked, 'operation' | 'params'> => ({
  operation: 'create_charge',
  params: { amount, currency: 'usd', customer: 'cus_123' },
})

const RETRY_MS = 100
/** Longer than a twin may wait. */
const ANSWER_MS_MAX = 60_000

export function agentWith(vaultKey: string): Agent {
  const heard: Heard[] = []

  async function call(agent_url: string, asked: Asked): Promise<Heard> {
    const { operation = 'create_charge', params = charge(100).params, ...names } = asked
    let answer: Heard
    try {
      const response = await fetch(`${agent_url}/v1/providers/stripe/operations/${operation}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${vaultKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ params, ...names }),
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      })
      const { code, event_id, replayed, data, error } = (await response.json()) as Record<string, never>
      answer = {
        asked,
        status: response.status,
        ...(code !== undefined && { code }),
        ...(event_id !== undefined && { event_id }),
        ...(replayed !== undefined && { replayed }),
        ...(data !== undefined && { data }),
        ...(error !== undefined && { data: error }),
      }
    } catch {
      answer = { asked, status: 0 }
    }
    heard.push(answer)
    return answer
  }

  return {
    heard,
    call,
    async insist(agent_url, asked, within_ms = 40_000) {
      const deadline = Date.now() + within_ms
      for (;;) {
        const answer = await call(typeof agent_url === 'string' ? agent_url : agent_url(), asked)
        if (!MAY_BE_SENT_AGAIN.has(answer.code ?? (answer.status === 0 ? 'lost' : 'answered'))) return answer
        if (Date.now() > deadline)
          throw new Error(`${JSON.stringify(asked)} is not answered in ${within_ms} ms: ${JSON.stringify(answer)}`)
        await new Promise((wake) => setTimeout(wake, RETRY_MS))
      }
    },
  }
}

/** What an SDK may send again under the same name, as the table of refusals says; a lost connection too. */
const MAY_BE_SENT_AGAIN = new Set([
  'lost',
  'call_in_flight',
  'outcome_unknown',
  'upstream_failed',
  'audit_unavailable',
  'counters_unavailable',
  'counters_rehydrating',
  'draining',
])
