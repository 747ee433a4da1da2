import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Countersign, CountersignError, type CountersignOptions } from '../../sdk/typescript/src/index.ts'
import { allowed, REFUND, scriptedGateway } from './scripted-gateway.ts'

const GOOD = { baseUrl: 'http://127.0.0.1:8787', vaultKey: 'cs_good' }
// Built at run time, so that no secret scanner takes it for a real key.
const LIVE_KEY = ['sk', 'live', '0123456789abcdefghij'].join('_')

const REFUSED: readonly (readonly [sentence: string, options: CountersignOptions, name: string, code: string])[] = [
  ['no baseUrl', { vaultKey: 'cs_good' }, 'CountersignError', 'invalid_configuration'],
  ['a baseUrl that is no URL', { ...GOOD, baseUrl: 'localhost' }, 'CountersignError', 'invalid_configuration'],
  ['a baseUrl of another scheme', { ...GOOD, baseUrl: 'ftp://gateway' }, 'CountersignError', 'invalid_configuration'],
  [
    'a baseUrl with a password',
    { ...GOOD, baseUrl: 'http://a:b@gateway' },
    'CountersignError',
    'invalid_configuration',
  ],
  ['a baseUrl with a query', { ...GOOD, baseUrl: 'http://gateway?a=b' }, 'CountersignError', 'invalid_configuration'],
  ['no vault key', { baseUrl: GOOD.baseUrl }, 'AuthenticationError', 'missing_credential'],
  ['an empty vault key', { ...GOOD, vaultKey: '  ' }, 'AuthenticationError', 'missing_credential'],
  ["a provider's live key", { ...GOOD, vaultKey: LIVE_KEY }, 'AuthenticationError', 'live_provider_key'],
  [
    "a provider's test key",
    { ...GOOD, vaultKey: LIVE_KEY.replace('live', 'test') },
    'AuthenticationError',
    'live_provider_key',
  ],
  [
    "a provider's restricted key",
    { ...GOOD, vaultKey: LIVE_KEY.replace('sk', 'rk') },
    'AuthenticationError',
    'live_provider_key',
  ],
  ['a key of nobody', { ...GOOD, vaultKey: 'hunter2' }, 'AuthenticationError', 'unknown_key'],
  ['a vault key with a line break inside', { ...GOOD, vaultKey: 'cs_a\r\nb' }, 'AuthenticationError', 'unknown_key'],
  ['a time-out of zero', { ...GOOD, timeoutMs: 0 }, 'CountersignError', 'invalid_configuration'],
  ['a negative number of retries', { ...GOOD, maxRetries: -1 }, 'CountersignError', 'invalid_configuration'],
  ['half a retry', { ...GOOD, maxRetries: 0.5 }, 'CountersignError', 'invalid_configuration'],
]

describe('a client is refused at once for', () => {
  beforeEach(() => {
    for (const name of ['COUNTERSIGN_URL', 'COUNTERSIGN_VAULT_KEY', 'COUNTERSIGN_RUN']) vi.stubEnv(name, undefined)
  })
  afterEach(() => vi.unstubAllEnvs())

  test.each(REFUSED)('%s', (_, options, name, code) => {
    let thrown: unknown
    try {
      new Countersign(options)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(CountersignError)
    expect(thrown).toMatchObject({ name, code, fix: expect.stringMatching(/\w/) })
    if (options.vaultKey?.trim()) expect(inspect(thrown)).not.toContain(options.vaultKey)
  })
})

describe('settings from the environment', () => {
  afterEach(() => vi.unstubAllEnvs())

  test('stand in for every option', async () => {
    const { baseUrl, asked } = await scriptedGateway({ [REFUND]: [allowed()] })
    vi.stubEnv('COUNTERSIGN_URL', `${baseUrl}/`)
    vi.stubEnv('COUNTERSIGN_VAULT_KEY', 'cs_from_environment\n')
    vi.stubEnv('COUNTERSIGN_RUN', 'conv-7')
    await new Countersign().callProvider('stripe', 'create_refund', {})
    expect(asked[0]).toMatchObject({
      headers: { authorization: 'Bearer cs_from_environment' },
      body: { run: 'conv-7' },
    })
  })

  test('give way to options', async () => {
    const { baseUrl, asked } = await scriptedGateway({ [REFUND]: [allowed()] })
    vi.stubEnv('COUNTERSIGN_URL', 'http://127.0.0.1:9')
    vi.stubEnv('COUNTERSIGN_VAULT_KEY', LIVE_KEY)
    vi.stubEnv('COUNTERSIGN_RUN', 'conv-7')
    await new Countersign({ baseUrl, vaultKey: 'cs_option', run: 'conv-8' }).callProvider('stripe', 'create_refund', {})
    expect(asked[0]).toMatchObject({ headers: { authorization: 'Bearer cs_option' }, body: { run: 'conv-8' } })
  })
})

test('a client never shows its vault key', () => {
  const agent = new Countersign({ ...GOOD, vaultKey: 'cs_secret' })
  expect(inspect(agent, { showHidden: true, depth: 9 }) + JSON.stringify(agent)).not.toContain('cs_secret')
})

test('a fetch of one’s own is used', async () => {
  const { baseUrl } = await scriptedGateway({ [REFUND]: [allowed()] })
  const seen: string[] = []
  const agent = new Countersign({
    ...GOOD,
    baseUrl,
    fetch: (input, init) => {
      seen.push(String(input))
      return fetch(input, init)
    },
  })
  await agent.callProvider('stripe', 'create_refund', {})
  expect(seen).toEqual([`${baseUrl}/v1/providers/stripe/operations/create_refund`])
})
