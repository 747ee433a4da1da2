/** nginx, twice: a fixed upstream that costs next to nothing, and a plain reverse proxy to it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../test/services/process.ts'
import { type Server, start } from './program.ts'
import { freshFolder } from './scratch.ts'

/** About what Stripe's own answer to a charge weighs. */
const CHARGE = JSON.stringify({
  id: 'ch_3PqXyz2eZvKYlo2C1a2b3c4d',
  object: 'charge',
  amount: 500,
  amount_captured: 500,
  amount_refunded: 0,
  balance_transaction: 'txn_3PqXyz2eZvKYlo2C1d4c3b2a',
  billing_details: { address: { city: null, country: null, line1: null, postal_code: null }, email: null, name: null },
  calculated_statement_descriptor: 'EXAMPLE',
  captured: true,
  created: 1760000000,
  currency: 'usd',
  customer: null,
  description: null,
  disputed: false,
  fraud_details: {},
  livemode: false,
  metadata: { order: '6735' },
  outcome: { network_status: 'approved_by_network', risk_level: 'normal', risk_score: 32, type: 'authorized' },
  paid: true,
  payment_method: 'card_1PqXyz2eZvKYlo2CaBcDeFgH',
  payment_method_details: {
    card: { brand: 'visa', country: 'US', exp_month: 8, exp_year: 2030, funding: 'credit', last4: '4242' },
    type: 'card',
  },
  receipt_url: null,
  refunded: false,
  status: 'succeeded',
})

const KEEP = 'keepalive_requests 100000000; keepalive_timeout 300s;'

/** One worker: the cores are shared by everything that is measured. */
async function nginx(server: (port: number) => string): Promise<Server> {
  const folder = freshFolder('nginx')
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 1024; }
http { access_log off; default_type application/json; ${KEEP}
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  ${server(port)}
}
`,
  )
  const url = `http://127.0.0.1:${port}`
  return start({ program: 'nginx', args: ['-c', file, '-p', folder], url, ready: '/' })
}

export const fixedUpstream = (): Promise<Server> =>
  nginx((port) => `server { listen 127.0.0.1:${port}; location / { return 200 '${CHARGE}'; } }`)

export const reverseProxy = (upstream: string): Promise<Server> =>
  nginx(
    (port) => `upstream fixed { server ${new URL(upstream).host}; keepalive 128; keepalive_requests 100000000; }
  server { listen 127.0.0.1:${port};
    location / { proxy_pass http://fixed; proxy_http_version 1.1; proxy_set_header Connection ''; } }`,
  )
