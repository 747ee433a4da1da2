/** For how long spend counts against a cap. One row a window; hours, days and months are those of UTC. */
import type { Window } from '../model/budget.ts'
import { runName, type SpendingCall } from './scope.ts'

interface WindowInstance {
  /** `day=2026-11-21`: this instance's part of the counter's name. */
  readonly name: string
  /** RFC 3339; absent where only the run, or nothing, ends it. */
  readonly ends_at?: string
}

const WINDOW: Readonly<Record<Window, (now: Date, call: SpendingCall) => WindowInstance>> = {
  call: () => ({ name: 'call' }),
  run: (_now, call) => ({ name: runName(call) }),
  hour: (now) => ({
    name: `hour=${now.toISOString().slice(0, 13)}`,
    ends_at: utc(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate(), now.getUTCHours() + 1),
  }),
  day: (now) => ({
    name: `day=${now.toISOString().slice(0, 10)}`,
    ends_at: utc(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1),
  }),
  month: (now) => ({
    name: `month=${now.toISOString().slice(0, 7)}`,
    ends_at: utc(now.getUTCFullYear(), now.getUTCMonth() + 1),
  }),
  lifetime: () => ({ name: 'lifetime' }),
}

const utc = (year: number, month: number, day = 1, hour = 0): string =>
  new Date(Date.UTC(year, month, day, hour)).toISOString().replace('.000Z', 'Z')

export const windowAt = (window: Window, now: Date, call: SpendingCall): WindowInstance => WINDOW[window](now, call)
