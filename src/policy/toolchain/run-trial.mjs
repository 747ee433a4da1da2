// Tries a compiled policy in a process of its own, which the parent ends when the policy does not end by itself.
import opa from '@open-policy-agent/opa-wasm'
import { builtins } from './builtins.mjs'

const said = (thrown) => (typeof thrown === 'string' ? thrown : (thrown?.message ?? 'an unknown fault'))

/** @param {{ wasm: Uint8Array, data: object, inputs: object[], entrypoint: string, memory: object }} trial */
process.once('message', ({ wasm, data, inputs, entrypoint, memory }) => {
  let tried
  try {
    const policy = opa.loadPolicySync(wasm, memory, builtins)
    if (!(entrypoint in policy.entrypoints)) throw `the policy has no entry point ${entrypoint}`
    policy.setData(data)
    process.send('ready')
    tried = inputs.map((input) => {
      try {
        return { results: policy.evaluate(input, entrypoint) }
      } catch (thrown) {
        return { fault: said(thrown) }
      }
    })
  } catch (thrown) {
    tried = [{ fault: said(thrown) }]
  }
  process.send(tried, () => process.disconnect())
})
