import type { Accounts, ApiKey, Refusal, Use } from '../../src/accounts/index.js'
import { TargonError } from '../../src/kernel/index.js'

export interface MemoryAccounts extends Accounts {
  readonly keys: Map<string, ApiKey>
  /** What was reserved, and what was settled, in order. */
  readonly reserved: { readonly key: string; readonly model: string; readonly tokens: number }[]
  readonly settled: Use[]
  /** Answer of every reservation while it is set. */
  refusal: Refusal | undefined
  isDown: boolean
}

/** Accounts without a database. `sk-good` is a key without limits. */
export function createMemoryAccounts(): MemoryAccounts {
  const requireUp = () => {
    if (!accounts.isDown) return
    throw new TargonError('The database does not answer.', {
      code: 'ACCOUNTS_UNAVAILABLE',
      fault: 'unreachable',
      next: 'Start it.',
    })
  }
  const accounts: MemoryAccounts = {
    keys: new Map([['sk-good', keyOf({})]]),
    reserved: [],
    settled: [],
    refusal: undefined,
    isDown: false,
    find: async (secret) => {
      requireUp()
      return accounts.keys.get(secret)
    },
    reserve: async (key, { model, tokens }) => {
      requireUp()
      if (accounts.refusal) return accounts.refusal
      accounts.reserved.push({ key: key.id, model, tokens })
      let isSettled = false
      return {
        kind: 'reserved',
        settle: async (use) => {
          if (!isSettled) accounts.settled.push(use)
          isSettled = true
        },
      }
    },
    spend: async (most) => {
      requireUp()
      const tokensToday = accounts.settled.reduce(
        (sum, { promptTokens, completionTokens }) => sum + promptTokens + completionTokens,
        0,
      )
      const keys = [...accounts.keys.values()].map(({ id, name, limits }) => ({
        ...{ id, name, tokensToday, tokensPerDay: limits.tokensPerDay ?? null },
        ...{ spentTokens: tokensToday, budgetTokens: limits.budgetTokens ?? null },
      }))
      return { keys: keys.slice(0, most), others: { keys: Math.max(0, keys.length - most), tokensToday: 0 } }
    },
    trouble: () => (accounts.isDown ? 'the database does not answer' : undefined),
    close: async () => {},
  }
  return accounts
}

export function keyOf(facts: Partial<ApiKey>): ApiKey {
  return { id: 'key_1', name: 'test', limits: {}, isRetained: true, createdAtMs: 0, ...facts }
}
