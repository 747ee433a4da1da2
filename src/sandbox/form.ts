/** Forms with bracket notation, as Stripe's v1 reads them: `items[0][price]=price_1&expand[]=customer`. */
import { StripeError } from './error.ts'

export type FormValue = string | readonly FormValue[] | Form
export interface Form {
  readonly [name: string]: FormValue
}

type Mutable = { [name: string]: string | Mutable }

const DEPTH_MAX = 8
/** Names under which a plain object would answer with its prototype's members. */
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype'])

const malformed = (why: string): StripeError =>
  new StripeError(400, { type: 'invalid_request_error', message: `Invalid request: ${why}.` }, 'validation')

/** Of a name that is given twice the last counts. Throws a 400 for a form that cannot be read. */
export function parseForm(encoded: string): Form {
  const root: Mutable = {}
  if (encoded === '') return root
  let appended = 0
  for (const pair of encoded.split('&')) {
    if (pair === '') continue
    const at = pair.indexOf('=')
    const name = decode(at < 0 ? pair : pair.slice(0, at))
    const value = at < 0 ? '' : decode(pair.slice(at + 1))
    if (!name.includes('[')) {
      if (FORBIDDEN.has(name)) throw malformed(`the param name ${name} is not allowed`)
      root[name] = value
      continue
    }
    const path = pathOf(name)
    let node = root
    for (const [depth, part] of path.entries()) {
      // `a[]` appends; a running number keeps the order, and the list is made of it below.
      const key = part === '' ? String(appended++) : part
      if (depth === path.length - 1) {
        node[key] = value
      } else {
        const known = node[key]
        const next: Mutable = typeof known === 'object' ? known : {}
        node[key] = next
        node = next
      }
    }
  }
  return lists(root) as Form
}

function pathOf(name: string): string[] {
  const open = name.indexOf('[')
  const head = name.slice(0, open)
  const tail = name.slice(open)
  if (head === '' || !/^(\[[^[\]]*\])+$/.test(tail)) throw malformed(`the param name ${name} has unbalanced brackets`)
  const path = [head, ...tail.slice(1, -1).split('][')]
  if (path.length > DEPTH_MAX) throw malformed(`the param name ${name} nests deeper than ${DEPTH_MAX}`)
  for (const part of path) if (FORBIDDEN.has(part)) throw malformed(`the param name ${part} is not allowed`)
  return path
}

/** Objects whose names are all numbers are lists, in the order of their numbers (as JavaScript keeps such names). */
function lists(node: string | Mutable): FormValue {
  if (typeof node === 'string') return node
  const names = Object.keys(node)
  if (names.length > 0 && names.every((name) => /^\d+$/.test(name))) return names.map((name) => lists(node[name]!))
  const form: { [name: string]: FormValue } = {}
  for (const name of names) form[name] = lists(node[name]!)
  return form
}

function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw malformed('the body is not valid UTF-8 in percent-encoding')
  }
}

/** One text for one tree, whatever the order of its names. */
export function canonical(value: FormValue): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  const form = value as Form
  const names = Object.keys(form).sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(form[name]!)}`).join()}}`
}
