// Tries a compiled policy in a thread of its own, which the parent ends when the policy does not.
import { parentPort, workerData } from 'node:worker_threads'
import opa from '@open-policy-agent/opa-wasm'
import { builtins } from './builtins.mjs'

/** @type {{ wasm: Uint8Array, data: object, inputs: object[], entrypoint: string, memory: object }} */
const { wasm, data, inputs, entrypoint, memory } = workerData

const said = (thrown) => (typeof thrown === 'string' ? thrown : (thrown?.message ?? 'an unknown fault'))

let answer
try {
  const policy = opa.loadPolicySync(wasm, memory, builtins)
  if (!(entrypoint in policy.entrypoints)) throw `the policy has no entry point ${entrypoint}`
  policy.setData(data)
  // The clock starts here: how long a busy machine takes to start a thread says nothing about the policy.
  parentPort.postMessage('ready')
  answer = inputs.map((input) => {
    try {
      return { results: policy.evaluate(input, entrypoint) }
    } catch (thrown) {
      return { fault: said(thrown) }
    }
  })
} catch (thrown) {
  answer = [{ fault: said(thrown) }]
}
parentPort.postMessage(answer)
