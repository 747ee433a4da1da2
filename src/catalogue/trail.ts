/** Dotted pointers that are followed down a tree: `*` is any key or index, `**` any depth. */
import type { Json, JsonObject } from '../model/operation.ts'

interface Trail {
  readonly steps: readonly string[]
  readonly at: number
}

export interface Trails {
  /** Most pointers are one name at any depth, and a set finds those at once. */
  readonly names: ReadonlySet<string>
  readonly open: readonly Trail[]
}

const known = new WeakMap<readonly string[], Trails>()

/** Remembered by the list itself, as an operation's list never changes. */
export function trailsOf(pointers: readonly string[]): Trails {
  const before = known.get(pointers)
  if (before) return before
  const isName = (pointer: string): boolean => /^\*\*\.[^.*]+$/.test(pointer)
  const trails = {
    names: new Set(pointers.filter(isName).map((pointer) => pointer.slice('**.'.length))),
    open: pointers.filter((pointer) => !isName(pointer)).map((pointer) => ({ steps: pointer.split('.'), at: 0 })),
  }
  known.set(pointers, trails)
  return trails
}

/** What goes on below `key`; null where a pointer ends there. */
export function follow({ names, open }: Trails, key: string): Trails | null {
  if (names.has(key)) return null
  const below: Trail[] = []
  const pending = [...open]
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { steps, at } = next
    const step = steps[at]!
    if (step === '**') {
      below.push(next)
      pending.push({ steps, at: at + 1 })
    } else if (step === '*' || step === key) {
      if (at + 1 === steps.length) return null
      below.push({ steps, at: at + 1 })
    }
  }
  return { names, open: below }
}

/** The dotted paths at which a pointer ends, in the order of the tree. */
export function endsOf(value: Json, trails: Trails, where = ''): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value as JsonObject).flatMap(([key, each]) => {
    const path = where ? `${where}.${key}` : key
    const below = follow(trails, key)
    return below ? endsOf(each, below, path) : [path]
  })
}
