/** Prometheus metrics: what an operator alerts on. Labels come from closed sets only, so that a caller cannot grow them. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { CallRequest, Reply } from '../model/call.ts'

export interface Metrics {
  /** Counts and times each call; in flight meanwhile. */
  observe(call: (request: CallRequest) => Promise<Reply>): (request: CallRequest) => Promise<Reply>
  readonly inFlight: () => number
  readonly faults: Counter<'part'>
  readonly recovered: Counter<'kind'>
  text(): Promise<string>
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 80]

export function createMetrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry, prefix: 'countersign_' })
  const calls = new Counter({
    name: 'countersign_calls_total',
    help: 'Calls by what they came to: answered, replayed, judged (dry run), or the code of the refusal',
    labelNames: ['provider', 'operation', 'result'],
    registers,
  })
  const seconds = new Histogram({
    name: 'countersign_call_seconds',
    help: 'From the request to the reply, the provider included',
    labelNames: ['result'],
    buckets: SECONDS,
    registers,
  })
  const running = new Gauge({ name: 'countersign_calls_in_flight', help: 'Calls on their way', registers })
  const faults = new Counter({
    name: 'countersign_faults_total',
    help: 'Faults by the part that failed',
    labelNames: ['part'],
    registers,
  })
  const recovered = new Counter({
    name: 'countersign_recovered_total',
    help: 'What recovery brought to its end: calls finished, reservations released',
    labelNames: ['kind'],
    registers,
  })
  let inFlight = 0

  return {
    observe: (call) => async (request) => {
      const end = seconds.startTimer()
      running.set(++inFlight)
      try {
        const reply = await call(request)
        const result = resultOf(reply)
        const { operation } = reply
        calls.inc({ provider: operation?.provider ?? 'unresolved', operation: operation?.name ?? 'unresolved', result })
        end({ result })
        return reply
      } finally {
        running.set(--inFlight)
      }
    },
    inFlight: () => inFlight,
    faults,
    recovered,
    text: () => registry.metrics(),
  }
}

function resultOf(reply: Reply): string {
  switch (reply.kind) {
    case 'answered':
      return reply.replayed ? 'replayed' : reply.answer.status < 300 ? 'succeeded' : 'provider_error'
    case 'judged':
      return 'judged'
    case 'refused':
      return reply.refusal.code
  }
}
