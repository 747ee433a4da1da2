/** Clients that send a request a byte at a time, to hold what others wait for. The wait is the gateway's own, so it is long. */
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Key, openWorld, type World } from '../gateway/world.ts'

const DRIP_MS = 500
/** Above the gateway's limits. */
const PATIENCE_MS = 60_000

let world: World
let key: Key
beforeAll(async () => {
  world = await openWorld('embedded', { policy: { 'tool_decision.rego': 'package tool_decision\n\nallow { true }\n' } })
  key = await world.issue({
    agent: { id: 'till-1' },
    budgets: [{ scope: 'key', window: 'day', cap: 10_000, currency: 'usd' }],
  })
})
afterAll(() => world?.close())

/** Everything that came back until the gateway closed. */
const drip = (head: string, drop: string): Promise<string> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(world.gateway.agent_url)
    let answer = ''
    const socket = connect(Number(port), hostname, () => socket.write(head))
    const dripping = setInterval(() => socket.write(drop), DRIP_MS)
    socket.on('data', (chunk) => (answer += chunk))
    // What is sent after the gateway has closed is lost, and the test waits for the close.
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(dripping)
      resolve(answer)
    })
  })

const POST = 'POST /v1/charges HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n'

const AUTHORIZED = () => `${POST}authorization: Bearer ${key.secret}\r\n`

describe.concurrent('a request that does not come to its end', () => {
  it.each([
    ['a body that dribbles', () => `${AUTHORIZED()}content-length: 1000\r\n\r\n`, 'a'],
    ['a body in chunks that dribbles', () => `${AUTHORIZED()}transfer-encoding: chunked\r\n\r\n`, '1\r\na\r\n'],
  ])(
    '%s is refused and recorded, and the connection closes; nothing is reserved or sent',
    async (_, head, drop) => {
      const answer = await drip(head(), drop)
      expect(answer).toMatch(/^HTTP\/1\.1 408 /)
      const { error } = JSON.parse(answer.slice(answer.indexOf('{')))
      expect(error).toMatchObject({ code: 'request_timeout', message: expect.stringContaining('within 20 s') })
      expect(await world.rows({ event_id: error.event_id })).toMatchObject([
        { kind: 'decision', decision: 'deny', reason: 'request_timeout' },
      ])
      await expectNothingMoved()
    },
    PATIENCE_MS,
  )

  it(
    'headers that dribble are answered 408 and the connection closes; nothing is reserved or sent',
    async () => {
      expect(await drip(POST, 'x-a: b\r\n')).toMatch(/^HTTP\/1\.1 408 /)
      await expectNothingMoved()
    },
    PATIENCE_MS,
  )
})

async function expectNothingMoved() {
  expect(await world.requests()).toEqual([])
  expect((await world.spend(key)).map(({ spent, reserved }) => [spent, reserved])).toEqual([[0, 0]])
}
