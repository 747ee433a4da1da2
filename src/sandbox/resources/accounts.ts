/** Connect: connected accounts, and the links by which they onboard. */

import { invalidParam } from '../error.ts'
import { newId } from '../id.ts'
import type { ConnectedAccount } from '../objects.ts'
import { clearableText, metadata, optionalOneOf, optionalText, requiredText } from '../params.ts'
import { listed } from '../plain-routes.ts'
import { change, type Route } from '../route.ts'

const TYPES = ['standard', 'express', 'custom'] as const
const LINK_TYPES = ['account_onboarding', 'account_update'] as const
const LINK_LIFE_S = 300

export const connectedAccount = (now: number, fields: Partial<ConnectedAccount> = {}): ConnectedAccount => ({
  id: newId('acct'),
  object: 'account',
  charges_enabled: false,
  country: 'US',
  created: now,
  default_currency: 'usd',
  details_submitted: false,
  email: null,
  metadata: {},
  payouts_enabled: false,
  type: 'standard',
  ...fields,
})

export const accountRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/accounts',
    answers: 'account',
    run(call) {
      const { params } = call
      const type = optionalOneOf(params, 'type', TYPES) ?? 'standard'
      const country = optionalText(params, 'country') ?? 'US'
      const email = optionalText(params, 'email') ?? null
      const made = connectedAccount(call.now, { type, country, email, metadata: metadata(params) })
      call.account.accounts.insert(made)
      call.changed(change('account.created', { id: made.id }))
      return made
    },
  },
  listed('/v1/accounts', 'account', ({ accounts }) => accounts),
  {
    method: 'GET',
    path: '/v1/accounts/{account}',
    answers: 'account',
    run: ({ account, ids }) => account.accounts.live(ids[0]!, 'account'),
  },
  {
    method: 'POST',
    path: '/v1/accounts/{account}',
    answers: 'account',
    run(call) {
      const email = clearableText(call.params, 'email')
      const one = call.account.accounts.live(call.ids[0]!, 'account')
      one.metadata = metadata(call.params, one.metadata)
      if (email !== undefined) one.email = email
      call.changed(change('account.updated', { id: one.id }))
      return one
    },
  },
  {
    method: 'DELETE',
    path: '/v1/accounts/{account}',
    answers: 'account',
    run(call) {
      const gone = call.account.accounts.live(call.ids[0]!, 'account')
      gone.deleted = true
      call.changed(change('account.deleted', { id: gone.id }))
      return { id: gone.id, object: 'account', deleted: true }
    },
  },
  {
    method: 'POST',
    path: '/v1/account_links',
    answers: 'account_link',
    run(call) {
      const { params, now } = call
      const id = requiredText(params, 'account')
      const type = optionalOneOf(params, 'type', LINK_TYPES)
      for (const name of ['return_url', 'refresh_url']) {
        const url = optionalText(params, name)
        if (url !== undefined && !URL.canParse(url)) throw invalidParam('Not a valid URL', name, 'url_invalid')
      }
      if (type === undefined) requiredText(params, 'type')
      call.account.accounts.live(id, 'account')
      call.changed(change('account_link.created', { id }))
      const url = `https://connect.stripe.com/setup/s/${id}/${newId('link')}`
      return { object: 'account_link', created: now, expires_at: now + LINK_LIFE_S, url }
    },
  },
]
