/** Vault keys for people. */
import type { VaultKey } from '../model/agent.ts'
import type { Budget } from '../model/budget.ts'
import { formatMoney } from '../model/money.ts'
import { table } from './output.ts'

export interface KeySpend {
  readonly budget: string
  readonly cap: number
  readonly spent: number
  readonly reserved: number
  readonly currency: string
  readonly ends_at?: string
}

type Alive = Pick<VaultKey, 'expires_at' | 'revoked_at'>

const stateOf = ({ expires_at, revoked_at }: Alive, now: Date): string =>
  revoked_at ? 'revoked' : expires_at && Date.parse(expires_at) <= now.getTime() ? 'expired' : 'live'

export const keyTable = (keys: readonly VaultKey[], now: Date): string =>
  table([
    ['ID', 'STATE', 'AGENT', 'ROLE', 'PROJECT', 'RUN', 'EXPIRES', 'NAME'],
    ...keys.map((key) => [
      key.id,
      stateOf(key, now),
      key.agent.id,
      key.agent.role ?? '-',
      key.project ?? '-',
      key.run ?? '-',
      key.expires_at ?? 'never',
      key.name ?? '',
    ]),
  ])

export function describeKey(key: VaultKey, now: Date): string {
  const lists = (['providers', 'operations', 'endpoints', 'customers'] as const).map((name) => [
    name,
    key[name]?.join(', '),
  ])
  const rows: readonly (readonly (string | undefined)[])[] = [
    ['id', key.id],
    ['state', stateOf(key, now)],
    ['name', key.name],
    ['agent', key.agent.role ? `${key.agent.id} (${key.agent.role})` : key.agent.id],
    ['organisation', key.organisation],
    ['project', key.project],
    ['run', key.run],
    ...lists,
    ['limits', key.limits?.map((limit) => JSON.stringify(limit)).join(', ')],
    ['budgets', key.budgets.map(budgetLine).join(', ') || undefined],
    ['repeat', key.repeat],
    ['created', key.created_at],
    ['expires', key.expires_at ?? 'never'],
    ['revoked', key.revoked_at],
  ]
  return table(rows.filter((row): row is readonly string[] => row[1] !== undefined))
}

const budgetLine = ({ scope, window, cap, currency }: Budget): string =>
  `${formatMoney({ value: cap, currency })} per ${scope} and ${window}`

export const spendTable = (spend: readonly KeySpend[]): string =>
  table([
    ['BUDGET', 'SPENT', 'RESERVED', 'CAP', 'LEFT', 'UNTIL'],
    ...spend.map(({ budget, cap, spent, reserved, currency, ends_at }) => [
      budget,
      ...[spent, reserved, cap, Math.max(0, cap - spent - reserved)].map((value) => formatMoney({ value, currency })),
      ends_at ?? '-',
    ]),
  ])
