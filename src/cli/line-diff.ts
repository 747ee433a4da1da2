/** A unified diff of two texts, as `diff -u` writes it. */

const CONTEXT = 3

interface Line {
  readonly sign: ' ' | '-' | '+'
  readonly text: string
}

/** Empty where the texts are equal. */
export function unifiedDiff(path: string, before: string, after: string): string {
  if (before === after) return ''
  const script = edits(linesOf(before), linesOf(after))
  const near = script.map((_, index) => script.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(isChange))
  const hunks: string[] = []
  let [old, young] = [1, 1]
  for (let index = 0; index < script.length; ) {
    if (!near[index]) {
      // Far from any change, so the line is in both.
      old += 1
      young += 1
      index += 1
      continue
    }
    const end = near.indexOf(false, index)
    const lines = script.slice(index, end < 0 ? script.length : end)
    const [olds, youngs] = [
      lines.filter(({ sign }) => sign !== '+').length,
      lines.filter(({ sign }) => sign !== '-').length,
    ]
    hunks.push(`@@ -${range(old, olds)} +${range(young, youngs)} @@`, ...lines.map(({ sign, text }) => sign + text))
    old += olds
    young += youngs
    index += lines.length
  }
  return [`--- a/${path}`, `+++ b/${path}`, ...hunks].join('\n')
}

const isChange = ({ sign }: Line): boolean => sign !== ' '
const range = (start: number, count: number): string =>
  `${count === 0 ? start - 1 : start}${count === 1 ? '' : `,${count}`}`

/** A last line without its newline differs from one with it, and says so as `diff` does. */
function linesOf(text: string): string[] {
  const lines = text.split('\n')
  const last = lines.pop()!
  return last === '' ? lines : [...lines, `${last}\n\\ No newline at end of file`]
}

/** The longest common subsequence, what both begin and end with left out of the search. */
function edits(a: readonly string[], b: readonly string[]): Line[] {
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1
  const [left, right] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)]
  const common = Array.from({ length: left.length + 1 }, () => new Uint32Array(right.length + 1))
  for (let i = left.length - 1; i >= 0; i--)
    for (let j = right.length - 1; j >= 0; j--)
      common[i]![j] =
        left[i] === right[j] ? common[i + 1]![j + 1]! + 1 : Math.max(common[i + 1]![j]!, common[i]![j + 1]!)
  const middle: Line[] = []
  let [i, j] = [0, 0]
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      middle.push({ sign: ' ', text: left[i]! })
      i += 1
      j += 1
    } else if (j >= right.length || (i < left.length && common[i + 1]![j]! >= common[i]![j + 1]!)) {
      middle.push({ sign: '-', text: left[i]! })
      i += 1
    } else {
      middle.push({ sign: '+', text: right[j]! })
      j += 1
    }
  }
  const same = (lines: readonly string[]): Line[] => lines.map((text) => ({ sign: ' ', text }))
  return [...same(a.slice(0, head)), ...middle, ...same(a.slice(a.length - tail))]
}
