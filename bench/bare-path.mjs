/**
 * What the hops of a call cost in Node at the least: a request in, two questions to Redis, an insert committed, the request
 * out, an insert committed, a last word to Redis, the answer. No key, catalogue, policy, identity, encryption or audit row.
 */
import { createServer } from 'node:http'
import { Redis } from 'ioredis'
import pg from 'pg'
import { Pool } from 'undici'

const { DATABASE_URL, REDIS_URL, STRIPE_UPSTREAM_URL, PORT, BODY } = process.env
const CLIENTS_MAX = 64
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

const database = new pg.Pool({ connectionString: DATABASE_URL, max: CLIENTS_MAX })
const redis = new Redis(REDIS_URL, { enableAutoPipelining: true })
const upstream = new Pool(STRIPE_UPSTREAM_URL, { connections: CLIENTS_MAX })

/** Whatever waits when a statement is done goes in the next, as in the gateway: one commit for many. */
const INSERT = { name: 'insert', text: 'insert into bench (body) select unnest($1::text[])' }
let waiting = []
let running = false
async function pump() {
  running = true
  while (waiting.length > 0) {
    const batch = waiting
    waiting = []
    await database.query({ ...INSERT, values: [batch.map(() => BODY)] })
    for (const done of batch) done()
  }
  running = false
}
const insert = () =>
  new Promise((done) => {
    waiting.push(done)
    if (!running) void pump()
  })

createServer(async (incoming, outgoing) => {
  const chunks = []
  for await (const chunk of incoming) chunks.push(chunk)
  if (incoming.method === 'GET') return outgoing.end()
  const { amount, currency, source } = JSON.parse(Buffer.concat(chunks).toString()).params
  await redis.hmget('bare', 'spent', 'reserved')
  await redis.hincrby('bare', 'reserved', amount)
  await insert()
  const body = new URLSearchParams({ amount, currency, source }).toString()
  const answer = await upstream.request({ method: 'POST', path: '/v1/charges', headers: FORM, body })
  const charge = await answer.body.text()
  await insert()
  redis.hincrby('bare', 'spent', amount)
  outgoing.setHeader('content-type', 'application/json')
  outgoing.end(charge)
}).listen(Number(PORT), '127.0.0.1')
