/**
 * What the hops of a call cost in Node at the least: a request in, two questions to Redis, an insert committed, the request
 * out, an insert committed, a last word to Redis, the answer. No key, catalogue, policy, identity, encryption or audit row.
 */
import { createServer } from 'node:http'
import { Redis } from 'ioredis'
import pg from 'pg'
import { Pool } from 'undici'

const { DATABASE_URL, REDIS_URL, STRIPE_UPSTREAM_URL, PORT, INSERT } = process.env
const CLIENTS_MAX = 64
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

const database = new pg.Pool({ connectionString: DATABASE_URL, max: CLIENTS_MAX })
const redis = new Redis(REDIS_URL, { enableAutoPipelining: true })
const upstream = new Pool(STRIPE_UPSTREAM_URL, { connections: CLIENTS_MAX })
const insert = { name: 'insert', text: INSERT }

createServer(async (incoming, outgoing) => {
  const chunks = []
  for await (const chunk of incoming) chunks.push(chunk)
  if (incoming.method === 'GET') return outgoing.end()
  const { amount, currency, source } = JSON.parse(Buffer.concat(chunks).toString()).params
  await redis.hmget('bare', 'spent', 'reserved')
  await redis.hincrby('bare', 'reserved', amount)
  await database.query(insert)
  const body = new URLSearchParams({ amount, currency, source }).toString()
  const answer = await upstream.request({ method: 'POST', path: '/v1/charges', headers: FORM, body })
  const charge = await answer.body.text()
  await database.query(insert)
  redis.hincrby('bare', 'spent', amount)
  outgoing.setHeader('content-type', 'application/json')
  outgoing.end(charge)
}).listen(Number(PORT), '127.0.0.1')
