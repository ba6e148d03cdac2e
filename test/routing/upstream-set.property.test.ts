import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseLeastBusy } from '../../src/routing/upstream-set.js'

const load = fc.record({
  inFlight: fc.nat(20),
  maxInFlight: fc.integer({ min: 1, max: 20 }),
  weight: fc.double({ min: 0.1, max: 10, noNaN: true }),
  otherRequests: fc.nat(20),
})

describe('chooseLeastBusy', () => {
  it('never picks a full upstream, nor one busier than another', () => {
    fc.assert(
      fc.property(
        fc.array(load, { maxLength: 8 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (all, random) => {
          const chosen = chooseLeastBusy(all, () => random)
          const free = all.filter((one) => one.inFlight < one.maxInFlight)
          if (free.length === 0) {
            expect(chosen).toBeUndefined()
            return
          }
          const loads = free.map((one) => (one.inFlight + one.otherRequests + 1) / one.weight)
          expect(free).toContain(chosen)
          expect((chosen!.inFlight + chosen!.otherRequests + 1) / chosen!.weight).toBe(Math.min(...loads))
        },
      ),
    )
  })

  it('spreads requests by weight', () => {
    const light = { inFlight: 0, maxInFlight: 1000, weight: 1, otherRequests: 0 }
    const heavy = { inFlight: 0, maxInFlight: 1000, weight: 3, otherRequests: 0 }
    for (let request = 0; request < 400; request++) chooseLeastBusy([light, heavy], () => 0.5)!.inFlight++
    expect(light.inFlight).toBeGreaterThan(95)
    expect(light.inFlight).toBeLessThan(105)
  })

  it('breaks ties at random', () => {
    const pair = [0, 1].map((name) => ({ name, inFlight: 0, maxInFlight: 9, weight: 1, otherRequests: 0 }))
    const rolls = [0.1, 0.9, 0.1, 0.9]
    expect(rolls.map((roll) => chooseLeastBusy(pair, () => roll)?.name)).toEqual([1, 0, 1, 0])
  })
})
