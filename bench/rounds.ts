/** Contestants take turns (A B C A B C …), so that whatever else the machine does falls on all alike; medians are told. */
import type { Figures } from './wrk.ts'

interface Contestant {
  readonly name: string
  /** One measurement of so many seconds. */
  readonly measure: (seconds: number) => Promise<Figures>
  /** CPU seconds so far; absent where nobody asks. */
  readonly cpu_s?: () => number
}

interface Result extends Figures {
  readonly name: string
  /** CPU milliseconds for one answer, the server's processes together. */
  readonly cpu_ms?: number
  /** Lowest and highest rate among the rounds. */
  readonly lowest: number
  readonly highest: number
}

export interface Effort {
  readonly rounds: number
  readonly seconds: number
}

export async function takeTurns<Name extends string>(
  contestants: Readonly<Record<Name, Omit<Contestant, 'name'>>>,
  { rounds, seconds }: Effort,
): Promise<Readonly<Record<Name, Result>>> {
  const names = Object.keys(contestants) as Name[]
  const figures = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    (Figures & { cpu: number })[]
  >
  for (const name of names) await contestants[name].measure(1)
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) {
      const { measure, cpu_s = () => 0 } = contestants[name]
      const before = cpu_s()
      const measured = await measure(seconds)
      figures[name].push({ ...measured, cpu: ((cpu_s() - before) * 1000) / (measured.per_second * seconds) })
    }
  }
  const resultOf = (name: Name): Result => {
    const of = (figure: keyof Figures | 'cpu') => figures[name].map((each) => each[figure])
    const rates = of('per_second')
    return {
      name,
      per_second: median(rates),
      p50_ms: median(of('p50_ms')),
      p99_ms: median(of('p99_ms')),
      lowest: Math.min(...rates),
      highest: Math.max(...rates),
      ...(contestants[name].cpu_s && { cpu_ms: median(of('cpu')) }),
    }
  }
  return Object.fromEntries(names.map((name) => [name, resultOf(name)])) as Record<Name, Result>
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
