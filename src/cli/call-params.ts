/** Params from the shell: `amount=500` is a number, `charge=ch_123` a text, `metadata:={"order":"7"}` JSON. */
import { parseJson } from '../catalogue/index.ts'
import type { Json, JsonObject } from '../model/operation.ts'
import { isRefusal } from '../model/refusal.ts'
import { CliError } from './output.ts'

const PAIR = /^(?<name>[^=:]+)(?<sign>:?=)(?<value>[\s\S]*)$/
const INTEGER = /^-?(0|[1-9]\d*)$/

/** Pairs go before what `json` says; a name given twice is refused, as the gateway would. */
export function callParams(pairs: readonly string[], json: string | undefined): JsonObject {
  const base = json === undefined ? {} : read(`--params ${json}`, json)
  const own = new Map<string, Json>()
  for (const pair of pairs) {
    const { name, sign, value } = PAIR.exec(pair)?.groups ?? {}
    if (name === undefined || value === undefined)
      throw new CliError(`${JSON.stringify(pair)} is not a param.`, "Write name=value, or name:='[1, 2]' for JSON.")
    if (own.has(name)) throw new CliError(`The param ${name} is given twice.`, 'Give each param once.')
    own.set(name, sign === ':=' ? read(pair, `{"value":${value}}`).value! : typed(value))
  }
  return { ...base, ...Object.fromEntries(own) }
}

/** Only what reads back the same is a number: `0500` and `1e3` stay texts. */
function typed(text: string): Json {
  if (text === 'true' || text === 'false') return text === 'true'
  return INTEGER.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text
}

function read(source: string, json: string): JsonObject {
  const tree = parseJson(Buffer.from(json))
  if (isRefusal(tree))
    throw new CliError(`${source}: ${tree.detail}`, 'Write JSON, each name once, quoted for the shell.')
  return tree
}
