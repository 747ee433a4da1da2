/** The nearest known name to a misspelt one, for messages that say what was meant. */

const DISTANCE_MAX = 4

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const swap = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, swap))
    }
    row = next
  }
  return row[b.length]!
}

export function closest(name: string, known: Iterable<string>): string | undefined {
  if (name.length > 80) return undefined
  let best: string | undefined
  let least = Math.min(DISTANCE_MAX, Math.ceil(name.length / 3)) + 1
  for (const each of known) {
    if (Math.abs(each.length - name.length) >= least) continue
    const steps = distance(name, each)
    if (steps < least) [best, least] = [each, steps]
  }
  return best
}
