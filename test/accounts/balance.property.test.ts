import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Balance, DAY_MS, type KeyState, MINUTE_MS } from '../../src/accounts/balance.js'

const count = fc.integer({ min: 1, max: 300 })
const limits = fc.record(
  { requestsPerMinute: count, tokensPerDay: count, concurrent: count, budgetTokens: count },
  { requiredKeys: [] },
)
/** A request of some tokens, the end of the oldest one with a share of them used, or time that passes. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('ask' as const), tokens: fc.integer({ min: 0, max: 60 }) }),
  fc.record({ kind: fc.constant('end' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: -MINUTE_MS, max: DAY_MS / 3 }) }),
)

test('whatever the order of requests, their ends and time: no limit is exceeded, and a refusal has its reason', () => {
  fc.assert(
    fc.property(limits, fc.array(step, { maxLength: 200 }), (limit, steps) => {
      let state: KeyState = {
        limits: limit,
        spentTokens: 0,
        day: 0,
        dayTokens: 0,
        minute: 0,
        minuteRequests: 0,
      }
      let now = 20_000 * DAY_MS
      let debited = 0
      const running: number[] = []
      const perDay = new Map<number, number>()
      for (const one of steps) {
        if (one.kind === 'wait') {
          now += one.ms
          continue
        }
        const held = { requests: running.length, tokens: running.reduce((sum, tokens) => sum + tokens, 0) }
        if (one.kind === 'end') {
          const tokens = running.shift()
          if (tokens === undefined) continue
          const used = Math.floor(tokens * one.share)
          const balance = new Balance(
            state,
            { requests: held.requests - 1, tokens: held.tokens - tokens },
            now,
          )
          balance.debit(used)
          state = { ...state, ...balance }
          debited += used
          perDay.set(balance.day, (perDay.get(balance.day) ?? 0) + used)
        } else {
          const balance = new Balance(state, held, now)
          const refusal = balance.reserve('m', one.tokens)
          state = { ...state, ...balance }
          if (!refusal) running.push(one.tokens)
          else if (refusal.reason === 'concurrent') expect(running.length).toBe(limit.concurrent)
          else if (refusal.reason === 'requests') expect(balance.minuteRequests).toBe(limit.requestsPerMinute)
          if (refusal?.retryAfterMs !== undefined) expect(refusal.retryAfterMs).toBeGreaterThan(0)
        }
        expect(state.spentTokens).toBe(debited)
        expect(running.length).toBeLessThanOrEqual(limit.concurrent ?? Infinity)
        expect(state.minuteRequests).toBeLessThanOrEqual(limit.requestsPerMinute ?? Infinity)
      }
      const owed = running.reduce((sum, tokens) => sum + tokens, 0)
      expect(debited + owed).toBeLessThanOrEqual(limit.budgetTokens ?? Infinity)
    }),
    { numRuns: 300 },
  )
})

test('a clock that is set back by less than a minute does not start the count of the minute again', () => {
  const base = { limits: { requestsPerMinute: 1 }, spentTokens: 0, day: 0, dayTokens: 0 }
  const none = { requests: 0, tokens: 0 }
  const at = (minute: number, nowMs: number) =>
    new Balance({ ...base, minute, minuteRequests: 1 }, none, nowMs)
  expect(at(100, 100 * MINUTE_MS - 1).reserve('m', 1)).toMatchObject({ reason: 'requests' })
  expect(at(100, 101 * MINUTE_MS).reserve('m', 1)).toBeUndefined()
  // a clock that was ahead by hours and has been corrected
  expect(at(500, 100 * MINUTE_MS).reserve('m', 1)).toBeUndefined()
})
