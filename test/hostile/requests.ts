/** Requests that must be refused, byte for byte as they are sent: where, what, and the refusal. `KEY` stands for the vault key. */

export interface HostileRequest {
  readonly method?: string
  readonly target?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly status: number
  readonly code: string
}

type Rows = readonly (readonly [sentence: string, request: HostileRequest])[]

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const JSON_TYPE = { 'content-type': 'application/json' }
const BY_NAME = '/v1/providers/stripe/operations'

const get = (target: string, status: number, code: string, headers = {}): HostileRequest => ({
  method: 'GET',
  target,
  headers,
  status,
  code,
})
const form = (target: string, body: string | Buffer, status: number, code: string, headers = {}): HostileRequest => ({
  method: 'POST',
  target,
  headers: { ...FORM, ...headers },
  body,
  status,
  code,
})
const named = (operation: string, body: string | Buffer, status: number, code: string): HostileRequest => ({
  method: 'POST',
  target: `${BY_NAME}/${operation}`,
  headers: JSON_TYPE,
  body,
  status,
  code,
})
const charge = (amount: string): string => `{"params":{"amount":${amount},"currency":"usd","customer":"cus_123"}}`
const chargeForm = (amount: string): string => `amount=${amount}&currency=usd&customer=cus_123`

/** 1. Raw paths. */
export const PATHS: Rows = [
  ['an escaped dot segment', get('/stripe/v1/%2e%2e/charges', 400, 'bad_path')],
  ['a dot segment', get('/stripe/v1/charges/../customers', 400, 'bad_path')],
  ['a dot segment at the root', get('/v1/charges/../customers', 400, 'bad_path')],
  ['a single dot', get('/v1/./charges', 400, 'bad_path')],
  ['a backslash', get('/v1/..\\..\\charges', 400, 'bad_path')],
  ['an escaped slash', get('/v1/charges%2fch_123', 400, 'bad_path')],
  ['an escaped escape', get('/v1/charges%252fch_123', 400, 'bad_path')],
  ['a doubled slash', get('/v1//charges', 400, 'bad_path')],
  ['a doubled slash before a host', get('//evil.example/v1/charges', 400, 'bad_path')],
  ['a slash and a backslash before a host', get('/\\evil.example/v1/charges', 400, 'bad_path')],
  ['a path that leaves one surface for another', get('/stripe/../v1/charges', 400, 'bad_path')],
  [
    'a path that leaves a surface for a call by name',
    {
      ...named('list_customers', '{}', 400, 'bad_path'),
      target: '/stripe/../v1/providers/stripe/operations/list_customers',
    },
  ],
  ['a fragment', get('/v1/charges#/../customers', 400, 'bad_path')],
  ['a NUL in an id', get('/v1/charges/ch_1%00', 400, 'bad_path')],
]

/** 2. Routes and methods. */
export const ROUTES: Rows = [
  ['a route outside the catalogue', form('/v1/secret_backdoor', 'a=b', 403, 'unknown_operation')],
  ['a version outside the catalogue', get('/stripe/v9/charges', 403, 'unknown_operation')],
  ['a method outside the catalogue', form('/v1/balance', 'a=b', 403, 'unknown_operation')],
  ['a method that nobody knows', { method: 'PURGE', target: '/v1/charges', status: 403, code: 'unknown_operation' }],
  ['X-HTTP-Method-Override', get('/v1/charges/ch_123', 400, 'malformed_request', { 'x-http-method-override': 'POST' })],
  ['_method in the query', get('/v1/charges?_method=POST', 400, 'invalid_params')],
  ['_method in the form', form('/v1/charges', `_method=DELETE&${chargeForm('100')}`, 400, 'invalid_params')],
  ['a query on a POST', form('/v1/charges?amount=1', chargeForm('100'), 400, 'malformed_request')],
  [
    'a body on a GET',
    { method: 'GET', target: '/v1/charges', headers: FORM, body: 'limit=1', status: 400, code: 'malformed_request' },
  ],
]

/** 3 and 4. What two parsers read in two ways. */
export const SHAPES: Rows = [
  ['a name twice in a form', form('/v1/charges', `${chargeForm('1')}&amount=9999`, 400, 'malformed_request')],
  [
    'a name twice in a JSON body',
    named('create_charge', '{"params":{"amount":1,"amount":9999,"currency":"usd"}}', 400, 'malformed_request'),
  ],
  [
    'a name twice in a JSON body, once escaped',
    named('create_charge', '{"params":{"amount":1,"\\u0061mount":9999,"currency":"usd"}}', 400, 'malformed_request'),
  ],
  [
    'params twice in the envelope',
    named('create_charge', '{"params":{},"params":{"amount":1}}', 400, 'malformed_request'),
  ],
  ['an amount as a list', form('/v1/charges', 'amount[]=1&currency=usd', 400, 'invalid_params')],
  ['a name as a value and as an object', form('/v1/charges', 'metadata=1&metadata[b]=2', 400, 'malformed_request')],
  ['a name as an object and as a value', form('/v1/charges', 'metadata[b]=2&metadata=1', 400, 'malformed_request')],
  ['__proto__ in a form', form('/v1/charges', `${chargeForm('1')}&metadata[__proto__]=1`, 400, 'malformed_request')],
  ['constructor in a form', form('/v1/charges', `constructor[prototype][a]=1`, 400, 'malformed_request')],
  ['__proto__ in a JSON body', named('create_charge', '{"params":{"__proto__":{"a":1}}}', 400, 'malformed_request')],
  [
    'constructor in a JSON body',
    named('create_charge', '{"params":{"constructor":{"prototype":{"a":1}}}}', 400, 'malformed_request'),
  ],
  ['an unknown field of the envelope', named('create_charge', '{"params":{},"amount":1}', 400, 'malformed_request')],
  ['a body that is no JSON', named('create_charge', '{"params":', 400, 'malformed_request')],
  ['a body that is a list', named('create_charge', '[]', 400, 'malformed_request')],
  ['JSON on the drop-in surface', form('/v1/charges', '{"amount":1}', 400, 'malformed_request', JSON_TYPE)],
]

/** 5 and 6. Amounts and currencies. */
const AMOUNTS_JSON = [
  '1e3',
  '0x10',
  'NaN',
  '-5',
  '0',
  '5000.5',
  '5000.0',
  '"5000"',
  '" 5"',
  '"٥"',
  '9007199254740993',
  '-0',
  'null',
  '[5]',
  'true',
]
const AMOUNTS_FORM = [
  '1e3',
  '0x10',
  'NaN',
  '-5',
  '0',
  '5000.5',
  '%205',
  '%D9%A5',
  '9007199254740993',
  '+5',
  '05',
  '',
  'Infinity',
  '1_000',
]
export const AMOUNTS: Rows = [
  ...AMOUNTS_JSON.map(
    (amount) => [`the amount ${amount} in JSON`, named('create_charge', charge(amount), 400, 'refused')] as const,
  ),
  ...AMOUNTS_FORM.map(
    (amount) =>
      [
        `the amount ${JSON.stringify(amount)} in a form`,
        form('/v1/charges', chargeForm(amount), 400, 'refused'),
      ] as const,
  ),
  ['an unknown currency', form('/v1/charges', 'amount=1&currency=zzz&customer=cus_123', 400, 'invalid_params')],
]

/** 7. Text. */
export const TEXTS: Rows = [
  ['a form that is not UTF-8', form('/v1/charges', Buffer.from([0x61, 0x3d, 0xff]), 400, 'malformed_request')],
  ['an escape that is not UTF-8', form('/v1/charges', `${chargeForm('1')}&description=%ff`, 400, 'malformed_request')],
  ['an overlong escape', form('/v1/charges', `${chargeForm('1')}&description=%c0%af`, 400, 'malformed_request')],
  ['an escape that is none', form('/v1/charges', `${chargeForm('1')}&description=%zz`, 400, 'malformed_request')],
  [
    'a JSON body that is not UTF-8',
    named('create_charge', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400, 'malformed_request'),
  ],
  ['a NUL in a form', form('/v1/charges', `${chargeForm('1')}&description=a%00b`, 400, 'malformed_request')],
  ['a NUL in JSON', named('create_charge', '{"params":{"description":"a\\u0000b"}}', 400, 'malformed_request')],
  [
    'half of a surrogate pair',
    named('create_charge', '{"params":{"description":"\\ud800"}}', 400, 'malformed_request'),
  ],
  ['full-width digits', form('/v1/charges', chargeForm('%EF%BC%95'), 400, 'invalid_params')],
]

/** 8. Acting for another account. */
export const ACCOUNTS: Rows = [
  ['Stripe-Account', form('/v1/charges', chargeForm('1'), 403, 'policy_denied', { 'stripe-account': 'acct_123' })],
  ['Stripe-Context', form('/v1/charges', chargeForm('1'), 403, 'policy_denied', { 'stripe-context': 'acct_123' })],
  [
    'transfer_data',
    form('/v1/charges', `${chargeForm('1')}&transfer_data[destination]=acct_123`, 403, 'policy_denied'),
  ],
  ['on_behalf_of', form('/v1/charges', `${chargeForm('1')}&on_behalf_of=acct_123`, 403, 'policy_denied')],
]

/** 9. Expansion. */
export const EXPANSIONS: Rows = [
  ['an expansion that the answer has not', get('/v1/charges/ch_123?expand[]=secret_key', 400, 'invalid_params')],
  [
    'an expansion that is too deep',
    get('/v1/charges/ch_123?expand[]=customer.default_source.customer.default_source.customer', 400, 'invalid_params'),
  ],
]

/** 11. Sizes. */
const LARGE = 'a'.repeat(300 * 1024)
export const SIZES: Rows = [
  ['a form beyond the limit', form('/v1/charges', `description=${LARGE}`, 413, 'request_too_large')],
  [
    'a JSON body beyond the limit',
    named('create_charge', `{"params":{"description":"${LARGE}"}}`, 413, 'request_too_large'),
  ],
  [
    'ten thousand params',
    form(
      '/v1/charges',
      Array.from({ length: 10_000 }, (_, at) => `metadata[k${at}]=v`).join('&'),
      413,
      'request_too_large',
    ),
  ],
  [
    'ten thousand params in JSON',
    named(
      'create_charge',
      `{"params":{"metadata":{${Array.from({ length: 10_000 }, (_, at) => `"k${at}":"v"`).join(',')}}}}`,
      413,
      'request_too_large',
    ),
  ],
  ['a form a thousand deep', form('/v1/charges', `metadata${'[a]'.repeat(1_000)}=1`, 413, 'request_too_large')],
  [
    'JSON a thousand deep',
    named('create_charge', `{"params":${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}}`, 413, 'request_too_large'),
  ],
  [
    'a list a thousand deep',
    named('create_charge', `{"params":{"a":${'['.repeat(1_000)}${']'.repeat(1_000)}}}`, 413, 'request_too_large'),
  ],
]
